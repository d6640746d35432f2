package table

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/bench"
	"xsmbench/reports/about"
	"xsmbench/reports/compare"
	"xsmbench/results"
)

var update = flag.Bool("update", false, "write the golden files again")

// fixture compares a synthetic run of reports/testdata.
func fixture(t *testing.T, name string) (*compare.Comparison, about.About) {
	t.Helper()
	run, err := results.Open(filepath.Join("..", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	opt := compare.Options{Hooks: func(benchmark string) ([]bench.Crossing, bool) {
		switch benchmark {
		case "Lmbench/lat_syscall/op=null", "Lmbench/lat_ops/op=add":
			return nil, true
		case "Kbench/hypercall/op=evtchn_send":
			return []bench.Crossing{{Hook: "evtchn_send", PerOp: 1}}, true
		}
		return nil, false
	}}
	c, err := compare.Compare(run.Samples, opt)
	if err != nil {
		t.Fatal(err)
	}
	return c, about.Of(&run.Run, compare.SetOf(run.Samples).Units(), run.Problems)
}

func TestGolden(t *testing.T) {
	for run, file := range map[string]string{"run": "compare", "counted": "counted"} {
		t.Run(run, func(t *testing.T) { golden(t, run, file) })
	}
}

func golden(t *testing.T, run, file string) {
	c, a := fixture(t, run)
	for ext, write := range map[string]func(io.Writer) error{
		".txt":  func(w io.Writer) error { return Text(w, c, a) },
		".md":   func(w io.Writer) error { return Markdown(w, c, a) },
		".csv":  func(w io.Writer) error { return CSV(w, c) },
		".json": func(w io.Writer) error { return JSON(w, c) },
	} {
		name := file + ext
		var got bytes.Buffer
		if err := write(&got); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, got.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got.String()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
