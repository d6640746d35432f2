package results

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const blockHead = "target: fake\narch: amd64\nbuild: native\ndomain: dom0\n"

// boot is a boot as it stands in a file.
func bootText(n, round int, end string) string {
	return fmt.Sprintf("# boot: boot=%d round=%d order=1 layout=0 image=ab seed=%d\nBenchmarkLmbench/lat_proc/op=fork 10 5 ns/op\n# windows: 5\n%s", n, round, round, end)
}

func ends(n, samples, total int) string { return endLine(n, samples, total) }

// TestBlocks: which boots of a file ended.
func TestBlocks(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []int // boots
		err        string
	}{
		{"one", blockHead + bootText(1, 1, ends(1, 1, 1)), []int{1}, ""},
		{"none", "", nil, ""},
		{"cut off", blockHead + bootText(1, 1, ""), nil, ""},
		{"cut off in its end", blockHead + bootText(1, 1, strings.TrimSuffix(ends(1, 1, 1), "\n")), nil, ""},
		{"failed, and again", blockHead + bootText(1, 1, "# failed: boot=1 guest: told to\n") + blockHead + bootText(2, 1, ends(2, 1, 1)), []int{2}, ""},
		{"torn", blockHead + bootText(1, 1, "# torn: Benchmark\n") + bootText(2, 1, ends(2, 1, 1)), []int{2}, ""},
		{"another domain is not there", blockHead + bootText(1, 1, ends(1, 1, 2)), nil, ""},
		{"a sample is gone", blockHead + bootText(1, 1, ends(1, 2, 2)), nil, "boot 1 ended with 2 samples, and has 1"},
		{"the end is damaged", blockHead + bootText(1, 1, "# end: boot=1 samples=x total=1\n"), nil, "end line is damaged"},
		{"the boot line is damaged", strings.Replace(blockHead+bootText(1, 1, ends(1, 1, 1)), "round=1", "round=x", 1), nil, ""},
		{"a line too long", blockHead + strings.Repeat("x", 2*longestLine) + "\n" + bootText(1, 1, ends(1, 1, 1)), []int{1}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, samplesDir, "native-amd64-dom0.txt"), c.text)
			blocks, err := Blocks(dir)
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Fatalf("error %v, want %q", err, c.err)
			}
			var got []int
			for _, b := range blocks {
				got = append(got, b.Boot.Boot)
				if b.Build != "native" || b.Arch != "amd64" || b.Domain != "dom0" {
					t.Errorf("block %+v", b)
				}
				if text := c.text[b.at : b.at+b.size]; text != "BenchmarkLmbench/lat_proc/op=fork 10 5 ns/op\n# windows: 5\n" {
					t.Errorf("boot %d: %q", b.Boot.Boot, text)
				}
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// FuzzBlocks: blocks lie within their file, one after the other.
func FuzzBlocks(f *testing.F) {
	f.Add(blockHead + bootText(1, 1, ends(1, 1, 1)) + bootText(2, 2, ends(2, 1, 1)))
	f.Add(blockHead + bootText(1, 1, "# torn: x\n") + bootText(2, 1, ends(2, 1, 1)))
	f.Fuzz(func(t *testing.T, text string) {
		r := newBlockReader(strings.NewReader(text))
		if len(text) > longestLine || r.run() != nil {
			return
		}
		at := int64(0)
		for _, b := range r.found {
			if b.at < at || b.size < 0 || b.at+b.size > int64(len(text)) {
				t.Fatalf("block %+v of %d bytes, after %d", b, len(text), at)
			}
			at = b.at + b.size
			if n := strings.Count("\n"+text[b.at:at], "\nBenchmark"); n != b.Samples {
				t.Fatalf("block %+v has %d samples", b, n)
			}
		}
	})
}

// TestTimes: what was recorded is read, and damaged lines are passed over.
func TestTimes(t *testing.T) {
	dir := t.TempDir()
	d := &Dir{path: dir}
	all := []Took{
		{What: Building, Build: "a", Kind: "flask", Arch: "amd64", Time: time.Second, Turn: time.Millisecond},
		{What: Booting, Build: "a", Kind: "flask", Arch: "amd64", Round: 2, Samples: 7, Time: 3, Turn: 2},
	}
	if err := d.RecordTime(all[0]); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, timesFile), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(f, "{\"what\":\"boot\",\"time_ns\":-1}\n{\"what\":\"other\"}\nnothing\n{\"what\":\n")
	f.Close()
	if err := d.RecordTime(all[1]); err != nil {
		t.Fatal(err)
	}
	var got []Took
	if err := ReadTimes(dir, func(t Took) error { got = append(got, t); return nil }); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(all, got); d != "" {
		t.Error(d)
	}
	if err := ReadTimes(t.TempDir(), func(Took) error { t.Error("times of no run"); return nil }); err != nil {
		t.Error(err)
	}
}

// FuzzTimes: whatever is read is no time that cannot be.
func FuzzTimes(f *testing.F) {
	f.Add([]byte(`{"what":"boot","build":"a","kind":"a","arch":"amd64","layout":0,"time_ns":5,"turn_ns":4}` + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		_ = decodeTimes(bytes.NewReader(text), func(took Took) error {
			if took.Time < 0 || took.Turn < 0 || took.Samples < 0 || !slices.Contains([]Work{Building, Booting}, took.What) {
				t.Fatalf("%+v", took)
			}
			return nil
		})
	})
}
