package bench_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"xsmbench/bench"
	"xsmbench/bench/benchtest"
)

// anonymousPage writes to a page that is not there yet.
var anonymousPage = bench.Benchmark{
	Suite:  "Mine",
	Name:   "fault/kind=anonymous",
	Doc:    "map a page, write to it, unmap it",
	Source: "Linux 2.6.18 mm/memory.c:do_anonymous_page",
	Unit:   "ns/op",
	Hooks:  []bench.Crossing{{Hook: "update_va_mapping", PerOp: 1}},
	Setup:  setupAnonymousPage,
}

func init() { bench.Register(anonymousPage) }

func setupAnonymousPage(d bench.Domain) (bench.Loop, func(), error) {
	const page = 4096
	os := d.OS()
	loop := func(n int64) error {
		for ; n > 0; n-- {
			at, err := os.Mmap(page, bench.PROT_READ|bench.PROT_WRITE, bench.MAP_PRIVATE|bench.MAP_ANONYMOUS, -1, 0)
			if err != nil {
				return fmt.Errorf("map page: %w", err)
			}
			os.Store(at, 1)
			if err := os.Munmap(at, page); err != nil {
				return fmt.Errorf("unmap page: %w", err)
			}
		}
		return nil
	}
	return loop, nil, nil
}

// A benchmark is a value in the registry. It is measured through a domain:
// here, the one that tests use.
func Example() {
	list, err := bench.Select("^Mine/")
	if err != nil {
		fmt.Println(err)
		return
	}
	quick := bench.Options{EnoughUS: 100, Repetitions: 3}
	for _, b := range list {
		m, err := bench.Measure(benchtest.New(0), b, quick, bench.Calibration{})
		fmt.Println(m.Benchmark, len(m.Windows), m.Values[0].Unit, err)
	}
	// Output: Mine/fault/kind=anonymous 3 ns/op <nil>
}

// TestDocumentedExample compares the page with the code above, so that what
// it shows compiles.
func TestDocumentedExample(t *testing.T) {
	page, err := os.ReadFile("../docs/add-a-benchmark.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(page), "```")
	found := 0
	for i := 1; i < len(blocks); i += 2 {
		code, isGo := strings.CutPrefix(blocks[i], "go\n")
		if !isGo {
			continue
		}
		found++
		if !strings.Contains(string(source), code) {
			t.Errorf("this is not in example_test.go:\n%s", code)
		}
	}
	if found == 0 {
		t.Error("the page shows no code")
	}
}
