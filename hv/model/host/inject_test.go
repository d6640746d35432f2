package host

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xsmbench/hv"
)

// TestInject: copies of the tree differ by the work alone.
func TestInject(t *testing.T) {
	target := newTarget(t)
	trees := map[int]string{0: filepath.Join(t.TempDir(), "none"), 3: filepath.Join(t.TempDir(), "three")}
	for n, dir := range trees {
		if _, err := target.Inject(context.Background(), hv.Work{Amount: n, Delay: true}, dir, func(string) {}); err != nil {
			t.Fatal(err)
		}
		assembly, err := os.ReadFile(filepath.Join(dir, "xsm/flask/selftest_work.s"))
		if err != nil || strings.Count(string(assembly), "IMULL") != n+1 { // one is in the copy without a delay, too
			t.Errorf("%d steps, error %v:\n%s", n, err, assembly)
		}
	}
	read := func(dir string) string {
		text, err := os.ReadFile(filepath.Join(dir, injectedFile))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if a, b := read(trees[0]), read(trees[3]); a != b || strings.Count(a, "selftestWork()") != 2 {
		t.Errorf("the trees differ in %s:\n%s", injectedFile, a)
	}
}
