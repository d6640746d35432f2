//go:build realxen

package realtest

import (
	"strings"
	"testing"

	"xsmbench/hv/xen/toolstack"
	"xsmbench/internal/require"
)

// TestOwnToolstack measures with dom0's tools built from the source package,
// where the distribution's would do: they are not in the hypervisor's way, so that
// every exact count stays as it is.
func TestOwnToolstack(t *testing.T) {
	if missing := toolstack.Missing(t.Context()); missing != nil {
		require.Missing(t, "what Xen's tools are built with ("+strings.Join(missing, " ")+")")
	}
	want := compareRun(t, threeBuilds(t))
	t.Parallel()
	run := measure(t, "--builds", "native,dummy,flask", "--aa=false", "--rounds", "1", "--toolstack", "tree")
	for build, console := range consoles(t, run) {
		checkEnforcing(t, build, console)
	}
	if text := read(t, run+"/run.json"); !strings.Contains(text, "dom0's toolstack is built from the tree (4.17, ") {
		t.Errorf("the run does not say whose tools dom0 had:\n%s", text)
	}
	sameCounts(t, want, compareRun(t, run), 30)
}

// sameCounts holds the exact rows of two runs against each other. A run may have
// rows that the other has not; at least some are in both.
func sameCounts(t *testing.T, want, got comparison, least int) {
	t.Helper()
	compared := 0
	for name, w := range want.rows {
		g, ok := got.rows[name]
		if !ok || !w.exact {
			continue
		}
		compared++
		if *g.Base != *w.Base || *g.Value != *w.Value {
			t.Errorf("%s: %v, against a base of %v; want %v, %v", name, *g.Value, *g.Base, *w.Value, *w.Base)
		}
		for _, unit := range []string{"xsm-instr/op", "hooks/op"} {
			if g, w := got.figures[key(name, unit)], want.figures[key(name, unit)]; g != w {
				t.Errorf("%s: %v %s, want %v", name, g, unit, w)
			}
		}
	}
	if compared < least {
		t.Errorf("only %d rows could be compared", compared)
	}
	t.Logf("%d rows are the same", compared)
}
