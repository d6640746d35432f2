package results

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestBounds: what unpacks to more than anybody measures, or never ends, is
// bounded, and what came before is used.
func TestBounds(t *testing.T) {
	defer func(unpacked, piped int64) { mostUnpacked, mostPiped = unpacked, piped }(mostUnpacked, mostPiped)
	mostUnpacked, mostPiped = 1<<20, 1<<20
	path := filepath.Join(t.TempDir(), "x.gz")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := gzip.NewWriter(f)
	io.WriteString(w, "BenchmarkQ 1 10 ns/op\n")
	w.Write(make([]byte, 2<<20))
	w.Close()
	f.Close()
	samples, problems, err := ReadFiles(path)
	if err != nil || len(samples) != 1 {
		t.Fatalf("%d samples, %v", len(samples), err)
	}
	if n := len(problems); n == 0 || !strings.Contains(problems[n-1].Text, "it unpacks to more than 1048576 bytes") {
		t.Errorf("problems %v", problems)
	}
	endless := io.MultiReader(strings.NewReader("BenchmarkQ 1 10 ns/op\n"), bytes.NewReader(make([]byte, 2<<20)))
	_, err = WalkSources([]Source{{Path: "-", In: endless}}, func([]int) []Taker { return []Taker{nobody} })
	if err == nil || !strings.Contains(err.Error(), "more than 1048576 bytes come out of it") {
		t.Errorf("a pipe without end: %v", err)
	}
}

// TestPipes: a FIFO can be read once, and is read whole.
func TestPipes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o666); err != nil {
		t.Skip(err)
	}
	go func() { os.WriteFile(path, []byte("BenchmarkQ 1 10 ns/op\nBenchmarkQ 1 11 ns/op\n"), 0) }()
	samples, problems, err := ReadFiles(path)
	if err != nil || len(problems) > 0 || len(samples) != 2 || samples[0].Build != "fifo" {
		t.Errorf("%v, %v, %v", samples, problems, err)
	}
}

// FuzzContent: whatever a file is, it is read without failing, and has samples
// or a reason for none.
func FuzzContent(f *testing.F) {
	f.Add([]byte(`{"Action":"output","Package":"a","Output":"BenchmarkQ 1 10 ns/op\n"}` + "\n"))
	f.Add([]byte(`{"Action":"output","Package":"a","Output":"Bench"}` + "\n" + `{"Action":"output","Package":"b","Output":"x\n"}` + "\n"))
	f.Add([]byte("\xff\xfeB\x00e\x00"))
	f.Add([]byte("\x1f\x8b\x08\x00"))
	f.Add([]byte("\xef\xbb\xbfUnit B/op assume=exact\nBenchmarkQ 1 10 B/op\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		count := 0
		found, err := WalkSources([]Source{{Path: "x", In: bytes.NewReader(text)}}, func([]int) []Taker {
			count = 0
			return []Taker{func(s *Sample, _ func() []float64) {
				count++
				if s.Build == "" || s.Benchmark == "" && !bytes.Contains(text, []byte("Benchmark")) {
					t.Errorf("a sample without a place: %+v", s)
				}
			}}
		})
		if err != nil {
			t.Fatal(err)
		}
		if in := found.Files[0]; in.Samples != count || (count == 0) != (in.Reason != "") {
			t.Errorf("%d samples, said to be %d with the reason %q", count, in.Samples, in.Reason)
		}
	})
}
