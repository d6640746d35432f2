package plot

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xsmbench/reports/compare"
	"xsmbench/results"
)

var (
	update = flag.Bool("update", false, "write the golden files again")
	dump   = flag.String("dump", "", "write PNG files to this directory")
)

func fixture(t *testing.T) *compare.Comparison {
	t.Helper()
	samples, _, err := results.ReadFiles(filepath.Join("..", "testdata", "run"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := compare.Compare(samples, compare.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestGolden(t *testing.T) {
	for _, ch := range Charts(fixture(t)) {
		var got, again, png bytes.Buffer
		for _, err := range []error{ch.SVG(&got), ch.SVG(&again), ch.PNG(&png)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got.Bytes(), again.Bytes()) {
			t.Errorf("%s: drawn twice, it differs", ch.Name)
		}
		if *dump != "" {
			if err := os.WriteFile(filepath.Join(*dump, ch.Name+".png"), png.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if !strings.HasSuffix(ch.Name, "-dom0") {
			continue
		}
		path := filepath.Join("testdata", ch.Name+".svg")
		if *update {
			if err := os.WriteFile(path, got.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, got.Bytes()) {
			t.Errorf("%s differs: run go test ./reports/plot -update and look at it", path)
		}
	}
}
