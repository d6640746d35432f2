//go:build realxen

package realtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"xsmbench/internal/require"
)

// leastTuples are compared by Xen's own policies at least.
const leastTuples = 1_000_000

// TestOwnPolicy makes the policies that Xen's source carries, with levels and without, as
// docs/flask.md says, and has the model's security server decide by them: what libsepol
// decides. The log has what a decision takes.
func TestOwnPolicy(t *testing.T) {
	t.Parallel()
	_, _, tree := packageCopy(t)
	dir := filepath.Join(tree, "tools/flask/policy")
	plain := bash(t, "the policy without levels", "make -f Makefile.common FLASK_BUILD_DIR=$PWD XEN_FULLVERSION=plain", dir, nil)
	levels := bash(t, "the policy with levels", commandsBelow(t, "../../../docs/flask.md", "cd tools/flask/policy"), tree, nil)
	if plain != 0 || levels != 0 {
		t.FailNow()
	}

	files := []string{filepath.Join(dir, "xenpolicy-plain"), filepath.Join(dir, "xenpolicy-mls")}
	env := append(os.Environ(), "XSMBENCH_POLICY="+strings.Join(files, string(filepath.ListSeparator)))
	out := goTest(t, env, "-run", "^TestOracleFiles$", "-v", "xsmbench/xsm/flask/ss")
	if strings.Contains(out, "--- SKIP") {
		require.Missing(t, "libsepol, its headers and gcc, to compare with")
	}
	tuples := 0
	for _, m := range regexp.MustCompile(`(\d+) tuples of`).FindAllStringSubmatch(out, -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		tuples += n
	}
	if t.Logf("%d tuples", tuples); tuples < leastTuples {
		t.Errorf("%d tuples, want %d:\n%s", tuples, leastTuples, out)
	}
	t.Log(goTest(t, env, "-run", "^$", "-bench", "^BenchmarkDecision$", "-benchtime", "3ms", "xsmbench/xsm/flask"))
}

// goTest runs tests of other packages and returns what they print.
func goTest(t *testing.T, env []string, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"test", "-count=1"}, args...)...)
	cmd.Env = env
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	return string(out)
}

// commandsBelow are the indented lines of a page that begin with a given one.
func commandsBelow(t *testing.T, page, first string) string {
	t.Helper()
	_, rest, found := strings.Cut(read(t, page), "\n    "+first+"\n")
	if !found {
		t.Fatalf("%s has no line %q", page, first)
	}
	script := []string{"set -e", first}
	for line := range strings.Lines(rest) {
		command, indented := strings.CutPrefix(line, "    ")
		if !indented {
			break
		}
		script = append(script, strings.TrimSuffix(command, "\n"))
	}
	return strings.Join(script, "\n")
}
