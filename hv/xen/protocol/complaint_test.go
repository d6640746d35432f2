package protocol

import (
	"strings"
	"testing"
)

func TestComplaint(t *testing.T) {
	const text = "domU is gone; its console ends:\nSIGSEGV: segmentation violation\n\ngoroutine 1 [running]:"
	written := Complaint("dom0: ", text+"\n")
	if want := "dom0: domU is gone; its console ends:\n| SIGSEGV: segmentation violation\n| \n| goroutine 1 [running]:\n"; written != want {
		t.Errorf("written %q, want %q", written, want)
	}
	// The console has another end of line, and lines of others in between.
	console := "dom0: an earlier one\n| with more\n" + strings.ReplaceAll(written, "\n", "\r\n")
	console = strings.Replace(console, "| SIG", "(XEN) d1 died\r\n| SIG", 1) + "reboot\n"
	if got, ok := FindComplaint(console, "dom0: "); !ok || got != text {
		t.Errorf("found %q, %v", got, ok)
	}
	if got, ok := FindComplaint(console, "domU: "); ok {
		t.Errorf("found %q", got)
	}
}

func FuzzComplaint(f *testing.F) {
	f.Add("one line")
	f.Add("a\nb\n\n| c")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsAny(text, "\r") || strings.Contains(text, "dom0: ") || strings.TrimSpace(text) != text {
			return
		}
		got, ok := FindComplaint(Complaint("dom0: ", text), "dom0: ")
		first, rest, more := strings.Cut(text, "\n")
		want := strings.TrimSpace(first)
		if more {
			want += "\n" + rest
		}
		if !ok || got != want {
			t.Errorf("%q: found %q, %v", text, got, ok)
		}
	})
}
