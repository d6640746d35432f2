package wire

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"xsmbench/bench"
)

var session = []Event{
	Hello{Version: Version, Domain: "dom0", Build: "dummy", Plan: "0123456789abcdef", Benchmarks: 1},
	Calibrated{bench.Calibration{EnoughUS: 5000, ClockNS: 31.5, LoopNS: 0.25}},
	Begin{Benchmark: "Lmbench/lat_pipe", Index: 1, Total: 1},
	Warning{Text: "a warning\nof two lines, with \"quotes\" and ü"},
	Sample{bench.Measurement{
		Domain: "dom0", Benchmark: "Lmbench/lat_pipe", Iterations: 12,
		Values: []bench.Value{{Value: 1234.5, Unit: "ns/op"}}, Windows: []float64{1234.5, 1e-9},
	}},
	Skip{Benchmark: "Kbench/hypercall/op=grant_copy", Reason: "no peer"},
	End{Samples: 1},
}

// text writes events as a stream.
func text(t testing.TB, events ...Event) string {
	t.Helper()
	var b bytes.Buffer
	w := NewWriter(&b)
	for _, e := range events {
		if err := w.Write(e); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// readAll reads until an error, which at best is io.EOF.
func readAll(stream string) ([]Event, error) {
	r := NewReader(strings.NewReader(stream))
	var list []Event
	for {
		e, err := r.Next()
		if err != nil {
			return list, err
		}
		list = append(list, e)
	}
}

func TestRoundTrip(t *testing.T) {
	got, err := readAll(text(t, session...))
	if err != io.EOF {
		t.Fatal(err)
	}
	if d := cmp.Diff(session, got); d != "" {
		t.Errorf("read differs (-wrote +read):\n%s", d)
	}
}

// TestFormat pins the format down: it is what other programs see.
func TestFormat(t *testing.T) {
	const want = `@xb1 0 hello {"version":1,"domain":"domU","build":"native","plan":"p","benchmarks":2} 898c824d
@xb1 1 end {"samples":0} 1b78a58b
`
	got := text(t, Hello{Version: 1, Domain: "domU", Build: "native", Plan: "p", Benchmarks: 2}, End{})
	if got != want {
		t.Errorf("wrote\n%swant\n%s", got, want)
	}
}

func TestConvenience(t *testing.T) {
	var b bytes.Buffer
	w := NewWriter(&b)
	m := session[4].(Sample).Measurement
	for _, err := range []error{
		w.Hello(Hello{Domain: "dom0", Build: "dummy", Plan: "0123456789abcdef", Benchmarks: 1}),
		w.Calibrated(session[1].(Calibrated).Calibration),
		w.Begin("Lmbench/lat_pipe", 1, 1),
		w.Warning(session[3].(Warning).Text),
		w.Sample(m),
		w.Skip("Kbench/hypercall/op=grant_copy", "no peer"),
		w.End(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if b.String() != text(t, session...) {
		t.Errorf("wrote\n%s", b.String())
	}
	if err := w.Write(Noise{}); err == nil {
		t.Error("noise was written")
	}
}

func TestNoise(t *testing.T) {
	lines := strings.SplitAfter(text(t, session...), "\n")
	stream := "Xen 3.2\r\n" + lines[0] + "[  0.1] no line break" + lines[1] + "\n" +
		"mail user@xb1.example\n@xb \n@xbx 1\n" + strings.Join(lines[2:], "") + "tail"
	got, err := readAll(strings.ReplaceAll(stream, "\n", "\r\n"))
	if err != io.EOF {
		t.Fatal(err)
	}
	want := []Event{
		Noise{1, "Xen 3.2"}, session[0], Noise{3, "[  0.1] no line break"}, session[1], Noise{4, ""},
		Noise{5, "mail user@xb1.example"}, Noise{6, "@xb "}, Noise{7, "@xbx 1"},
		session[2], session[3], session[4], session[5], session[6], Noise{13, "tail"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("read differs (-want +got):\n%s", d)
	}
}

func TestSessionsFollowEachOther(t *testing.T) {
	got, err := readAll(text(t, append(session, session...)...))
	if err != io.EOF || len(got) != 2*len(session) {
		t.Errorf("%d records, error %v", len(got), err)
	}
}

// reseal gives a line that was changed a checksum that fits.
func reseal(line string) string { return sealed(line[:strings.LastIndexByte(line, ' ')]) }

func TestErrors(t *testing.T) {
	lines := strings.SplitAfter(text(t, session...), "\n")
	lines = lines[:len(lines)-1]
	edit := func(i int, f func(string) string) string {
		c := append([]string(nil), lines...)
		c[i] = f(c[i])
		return strings.Join(c, "")
	}
	replace := func(old, to string) func(string) string {
		return func(s string) string {
			if !strings.Contains(s, old) {
				t.Fatalf("%q is not in %q", old, s)
			}
			return strings.Replace(s, old, to, 1)
		}
	}
	resealed := func(old, to string) func(string) string {
		return func(s string) string { return reseal(replace(old, to)(s)) }
	}
	tests := []struct {
		name   string
		stream string
		want   error
		line   int
		text   string
	}{
		{"changed byte", edit(2, replace("lat_pipe", "lat_pope")), &ChecksumError{}, 3, "checksum"},
		{"console text within a record", edit(2, replace("lat_", "la[ 0.3] oops t_")), &ChecksumError{}, 3, "line 3"},
		{"changed checksum", edit(6, func(s string) string { return s[:len(s)-9] + "00000000\n" }), &ChecksumError{}, 7, "checksum"},
		{"no checksum", edit(2, func(s string) string { return s[:strings.LastIndexByte(s, ' ')] + "\n" }), &SyntaxError{}, 3, "checksum"},
		{"short checksum", edit(2, func(s string) string { return s[:len(s)-2] + "\n" }), &SyntaxError{}, 3, "checksum"},
		{"nothing after the version", "@xb1 \n", &SyntaxError{}, 1, "checksum"},
		{"only a checksum", "@xb1 00000000\n", &ChecksumError{}, 1, "checksum"},
		{"lost record", strings.Join(append(lines[:2:2], lines[3:]...), ""), &SequenceError{}, 3, "records 2 to 2 are lost"},
		{"repeated record", edit(2, func(s string) string { return s + s }), &SequenceError{}, 4, "again"},
		{"hello in a session", edit(2, func(s string) string { return lines[0] }), &SequenceError{}, 3, "again"},
		{"hello in its place in a session", edit(1, func(string) string { return reseal(strings.Replace(lines[0], " 0 ", " 1 ", 1)) }), &SyntaxError{}, 2, "within a session"},
		{"no number", edit(2, func(string) string { return sealed("@xb1 x begin {}") }), &SyntaxError{}, 3, "sequence number"},
		{"unknown type", edit(2, resealed("begin", "began")), &SyntaxError{}, 3, `unknown type "began"`},
		{"bad content", edit(2, resealed("{", "[")), &SyntaxError{}, 3, "begin"},
		{"wrong kind of content", edit(2, resealed(`"index":1`, `"index":"1"`)), &SyntaxError{}, 3, "index"},
		{"no hello", strings.Join(lines[1:], ""), &SequenceError{}, 1, "lost"},
		{"starts with something else", sealed(`@xb1 0 begin {}`), &SyntaxError{}, 1, "before a hello"},
		{"empty", "", &TruncatedError{}, 0, "without a hello"},
		{"only noise", "Xen\npanic\n", &TruncatedError{}, 2, "without a hello"},
		{"no end", strings.Join(lines[:5], ""), &TruncatedError{}, 5, "after a sample record"},
		{"second session without end", strings.Join(lines, "") + lines[0], &TruncatedError{}, 8, "after a hello record"},
		{"cut off line", strings.Join(lines, "")[:len(strings.Join(lines, ""))-5], &SyntaxError{}, 7, "checksum"},
		{"other version of the format", edit(2, replace("@xb1", "@xb2")), &VersionError{}, 3, "version 2"},
		{"other version of the content", edit(0, resealed(`"version":1`, `"version":7`)), &VersionError{}, 1, "version 7"},
		{"too few samples", edit(6, resealed(`"samples":1`, `"samples":2`)), &SyntaxError{}, 7, "2 samples, 1 came"},
		{"endless line", lines[0] + strings.Repeat("x", maxLine+1), &SyntaxError{}, 2, "longer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := readAll(tt.stream)
			if reflect.TypeOf(err) != reflect.TypeOf(tt.want) {
				t.Fatalf("error %T %v, want a %T", err, err, tt.want)
			}
			line := reflect.ValueOf(err).Elem().FieldByName("Line").Int()
			if int(line) != tt.line || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %q, want line %d and %q", err, tt.line, tt.text)
			}
		})
	}
}

// sealed adds a checksum to a line of any content.
func sealed(body string) string {
	return fmt.Sprintf("%s %08x\n", body, crc32.ChecksumIEEE([]byte(body)))
}

func TestErrorsRepeat(t *testing.T) {
	r := NewReader(strings.NewReader("@xb9 x\n" + text(t, session...)))
	_, first := r.Next()
	_, second := r.Next()
	if first == nil || first != second {
		t.Errorf("errors %v and %v", first, second)
	}
}

type failing struct{ after int }

var errFull = errors.New("full")

func (f *failing) Write(b []byte) (int, error) {
	if f.after--; f.after < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestWriterPassesErrorsOn(t *testing.T) {
	w := NewWriter(&failing{after: 1})
	if err := w.Hello(Hello{}); err != nil {
		t.Fatal(err)
	}
	if err := w.End(); !errors.Is(err, errFull) || !strings.Contains(err.Error(), "end record") {
		t.Errorf("error %v", err)
	}
}

func TestReceive(t *testing.T) {
	var hello, samples, skips, warnings, begins int
	var console []string
	h := Handler{
		Hello:   func(Hello) error { hello++; return nil },
		Sample:  func(bench.Measurement) error { samples++; return nil },
		Begin:   func(Begin) { begins++ },
		Skip:    func(Skip) { skips++ },
		Warning: func(string) { warnings++ },
		Noise:   func(s string) { console = append(console, s) },
	}
	stream := "boot\n" + text(t, append(session, session...)...) + "never read\n@xb1 broken\n"
	if err := Receive(strings.NewReader(stream), 2, h); err != nil {
		t.Fatal(err)
	}
	if got := []int{hello, samples, begins, skips, warnings}; !reflect.DeepEqual(got, []int{2, 2, 2, 2, 2}) || len(console) != 1 {
		t.Errorf("received %v, console %q", got, console)
	}
	if err := Receive(strings.NewReader(text(t, session...)), 1, Handler{}); err != nil {
		t.Errorf("without a handler: %v", err)
	}
	var truncated *TruncatedError
	if err := Receive(strings.NewReader(text(t, session...)), 2, Handler{}); !errors.As(err, &truncated) {
		t.Errorf("one session of two: %v", err)
	}
	var failure *FailureError
	if err := Receive(strings.NewReader(text(t, session[0], Failure{"no memory"})), 1, Handler{}); !errors.As(err, &failure) || failure.Text != "no memory" {
		t.Errorf("failure: %v", err)
	}
	h.Sample = func(bench.Measurement) error { return errFull }
	if err := Receive(strings.NewReader(text(t, session...)), 1, h); !errors.Is(err, errFull) {
		t.Errorf("handler's error: %v", err)
	}
}

// FuzzReader reads anything. What it accepts must survive being written and
// read again.
func FuzzReader(f *testing.F) {
	whole := text(f, session...)
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add("noise" + whole + whole)
	f.Add("@xb1 0 hello {} 00000000\n@xb2 1 x\n@xb\n")
	f.Fuzz(func(t *testing.T, stream string) {
		events, err := readAll(stream)
		if err == nil {
			t.Fatal("reading ends without an error")
		}
		var records []Event
		for _, e := range events {
			if _, ok := e.(Noise); !ok {
				records = append(records, e)
			}
		}
		if err != io.EOF {
			return
		}
		again, err := readAll(text(t, records...))
		if err != io.EOF {
			t.Fatalf("read again: %v", err)
		}
		if d := cmp.Diff(records, again, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("read again differs:\n%s", d)
		}
	})
}

// FuzzRecord reads a record of any type and content whose checksum is right.
func FuzzRecord(f *testing.F) {
	for _, line := range strings.Split(text(f, session...), "\n") {
		if parts := strings.SplitN(line, " ", 4); len(parts) == 4 {
			f.Add(parts[2], parts[3][:strings.LastIndexByte(parts[3], ' ')])
		}
	}
	f.Fuzz(func(t *testing.T, kind, content string) {
		if strings.ContainsAny(kind+content, "\r\n") {
			return
		}
		r := NewReader(strings.NewReader(text(t, session[0]) + sealed("@xb1 1 "+kind+" "+content)))
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
		e, err := r.Next()
		if err != nil {
			return
		}
		again, err := readAll(text(t, session[0], e))
		var truncated *TruncatedError
		if end, ok := e.(End); ok && end.Samples == 0 {
			if err != io.EOF {
				t.Fatalf("read again: %v", err)
			}
		} else if !errors.As(err, &truncated) {
			t.Fatalf("read again: %v", err)
		}
		if d := cmp.Diff(e, again[1], cmpopts.EquateEmpty()); d != "" {
			t.Errorf("read again differs:\n%s", d)
		}
	})
}
