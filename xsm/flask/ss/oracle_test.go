package ss_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"xsmbench/internal/require"
	"xsmbench/xsm/flask/policy/checkpolicy"
	"xsmbench/xsm/flask/policydb"
	"xsmbench/xsm/flask/ss"
)

// The oracle is libsepol, the library of the SELinux project that decides by
// policies in user space; oracle/oracle.c asks it.

// buildOracle compiles it.
func buildOracle(t testing.TB) string {
	t.Helper()
	cc := require.Program(t, "gcc", "gcc libc6-dev")
	if _, err := os.Stat("/usr/include/sepol/policydb/services.h"); err != nil {
		require.Missing(t, "the headers of libsepol (apt-get install libsepol-dev)")
	}
	bin := filepath.Join(t.TempDir(), "oracle")
	// What it needs is in the archive only: the shared library hides it.
	out, err := exec.Command(cc, "-O2", "-Wall", "-Werror", "-o", bin, "oracle/oracle.c", "-l:libsepol.a").CombinedOutput()
	if err != nil {
		t.Fatalf("compile the oracle: %v: %s", err, out)
	}
	return bin
}

// ask puts questions on a policy to the oracle. It returns nil if it does not
// take the policy.
func ask(t testing.TB, oracle string, pol []byte, questions []byte) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "policy")
	if err := os.WriteFile(path, pol, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(oracle, path)
	cmd.Stdin = bytes.NewReader(questions)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("oracle: %v: %s", err, stderr.String())
	}
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if lines[0] == "refused" {
		return nil
	}
	return lines[1:]
}

// tuples is how many questions the oracle is asked at least.
const tuples = 1_000_000

// TestOracle compares every decision, transition and change of context of
// random policies with libsepol's.
func TestOracle(t *testing.T) {
	oracle := buildOracle(t)
	seeds, least := uint64(36), int64(tuples)
	if testing.Short() { // under the race detector: no goroutines meet in here
		seeds, least = 2, 1
	}
	var asked, policies atomic.Int64
	t.Run("policies", func(t *testing.T) {
		for seed := range seeds {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				g := generate(seed)
				asked.Add(int64(g.compare(t, oracle)))
				policies.Add(1)
			})
		}
	})
	t.Logf("%d questions on %d policies", asked.Load(), policies.Load())
	if !t.Failed() && asked.Load() < least {
		t.Errorf("%d questions, want %d", asked.Load(), least)
	}
}

// compile compiles a generated policy.
func (g *generated) compile(t testing.TB) []byte {
	t.Helper()
	bin, err := checkpolicy.Compile([]byte(g.source), "Xen", g.version, g.mls)
	if errors.Is(err, checkpolicy.ErrMissing) {
		require.Missing(t, err.Error())
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, g.source)
	}
	return bin
}

// compare asks server and oracle all there is to ask for pairs of contexts, and
// returns how much that was.
func (g *generated) compare(t *testing.T, oracle string) int {
	cfg := g.config()
	pol := g.compile(t)
	s := ss.New(cfg)
	if _, err := s.Load(pol); err != nil {
		t.Fatal(err)
	}
	var known []string
	for _, c := range g.contexts(400) {
		if n, err := s.ContextToSID(c); err == nil && len(known) < 60 {
			text, err := s.SIDToContext(n)
			if err != nil {
				t.Fatal(err)
			}
			known = append(known, text)
		}
	}
	var questions bytes.Buffer
	w := bufio.NewWriter(&questions)
	var mine []string
	for i, source := range known {
		for _, target := range known {
			for class := range cfg.Classes {
				number := slices.IndexFunc(g.classes, func(c ss.Class) bool { return c.Name == cfg.Classes[class].Name }) + 1
				fmt.Fprintf(w, "v %s %s %d %x\nt %s %s %d\n", source, target, number, uint32(1<<len(cfg.Classes[class].Permissions)-1), source, target, number)
				mine = append(mine, g.vectors(t, s, cfg, source, target, class), transition(t, s, source, target, class))
				if i%4 == 0 {
					subject := known[(i+class)%len(known)]
					fmt.Fprintf(w, "c %s %s %s %d\n", source, target, subject, number)
					mine = append(mine, change(t, s, source, target, subject, class))
				}
			}
		}
	}
	w.Flush()
	g.judge(t, questions.Bytes(), mine, ask(t, oracle, pol, questions.Bytes()))
	return len(mine)
}

// judge fails the test for the first few answers that differ.
func (g *generated) judge(t *testing.T, questions []byte, mine, theirs []string) {
	if len(theirs) != len(mine) {
		t.Fatalf("%d answers to %d questions", len(theirs), len(mine))
	}
	lines := strings.Split(string(questions), "\n")
	differ := 0
	for i := range mine {
		if mine[i] == theirs[i] {
			continue
		}
		if differ++; differ <= 3 {
			t.Errorf("%s: %q, libsepol %q", lines[i], mine[i], theirs[i])
		}
	}
	if differ > 0 {
		t.Errorf("%d of %d answers differ; the policy:\n%s", differ, len(mine), g.source)
	}
}

// vectors writes the server's decision in the policy's numbers, as the oracle
// does.
func (g *generated) vectors(t *testing.T, s *ss.Server, cfg ss.Config, source, target string, class int) string {
	d, err := s.ComputeAV(sid(t, s, source), sid(t, s, target), uint16(class+1))
	if err != nil {
		t.Fatal(err)
	}
	own := cfg.Classes[class]
	theirs := g.classes[slices.IndexFunc(g.classes, func(c ss.Class) bool { return c.Name == own.Name })]
	back := func(av uint32) uint32 {
		var out uint32
		for i, p := range own.Permissions {
			if av>>i&1 != 0 {
				out |= 1 << slices.Index(theirs.Permissions, p)
			}
		}
		return out
	}
	return fmt.Sprintf("%x %x %x", back(d.Allowed), back(d.AuditAllow), back(d.AuditDeny))
}

func transition(t *testing.T, s *ss.Server, source, target string, class int) string {
	n, err := s.TransitionSID(sid(t, s, source), sid(t, s, target), uint16(class+1))
	if errors.Is(err, ss.ErrContext) {
		return "invalid"
	}
	text, err2 := s.SIDToContext(n)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	return text
}

func change(t *testing.T, s *ss.Server, source, target, subject string, class int) string {
	err := s.ValidateTransition(sid(t, s, source), sid(t, s, target), sid(t, s, subject), uint16(class+1))
	switch {
	case errors.Is(err, ss.ErrContext):
		return "0"
	case err != nil:
		t.Fatal(err)
	}
	return "1"
}

// stricter are parts of our errors on policies that libsepol reads, with the
// reason why we do not.
var stricter = map[string]string{
	"range transition of type": "Xen, too, refuses levels that the policy does not allow",
	"is not valid":             "Xen, too, refuses a context that the policy does not allow",
	"gives type":               "Xen, too, refuses a rule on a type that is not there",
	"rule of kind":             "bits that mean nothing, which Xen and libsepol pass over",
	"another rule gives":       "Xen, too, refuses two types for one object",
	"nodes want":               "an empty set with nodes, which Xen and libsepol pass over: more than the file has",
	"yet has":                  "an empty set with nodes, which Xen and libsepol pass over",
	"values, more than":        "more values than names: memory is bounded by the file's size",
	"permission \"":            "two permissions of one value: only one would have a name",
	"range from":               "a range that holds nothing",
	"share value":              "two symbols of one value: only one would have a name",
	"has no name":              "a value without symbol",
	"from role":                "a role without name",
	"bytes after the policy":   "a file that goes on after its end",
	"compared in way":          "Xen stops the machine when it evaluates that",
	"is empty":                 "a symbol without a name",
	"cannot bound it":          "Xen, too, refuses bounds that are not there",
	"bounds of":                "Xen, too, refuses bounds that go in a circle",
	"inherits from":            "a class with fewer permissions than it inherits",
	"has a node at":            "a set's empty word",
}

// laxer are parts of libsepol's messages on policies that we read, as Xen does.
var laxer = map[string]string{
	"validate_":    "libsepol looks for references that lead nowhere, Xen only for those that it follows",
	"high bit":     "libsepol wants a set's size to be exact",
	"mls_read":     "likewise",
	"ebitmap_read": "likewise",
	"":             "libsepol says nothing",
}

// TestOracleMutated flips bits of policies and cuts them short: both read the
// result, or neither does, or there is a reason.
func TestOracleMutated(t *testing.T) {
	oracle := buildOracle(t)
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			g := generate(100 + seed)
			mutate(t, oracle, g.compile(t), g.r, 120)
		})
	}
}

// mutate changes a policy in n ways, one at a time.
func mutate(t *testing.T, oracle string, pol []byte, r *rand.Rand, n int) {
	dir := t.TempDir()
	for i := range n {
		mutated := slices.Clone(pol)
		what := ""
		if i%10 == 0 {
			n := r.IntN(len(pol))
			mutated, what = mutated[:n], fmt.Sprintf("cut at %d", n)
		} else {
			at, bit := r.IntN(len(pol)), r.IntN(8)
			mutated[at] ^= 1 << bit
			what = fmt.Sprintf("bit %d of byte %d", bit, at)
		}
		_, err := policydb.Read(mutated)
		theirs, why := accepts(t, oracle, dir, mutated)
		switch {
		case theirs && err != nil && !hasReason(stricter, err.Error()):
			t.Errorf("%s of %d bytes: %v, but libsepol reads it", what, len(pol), err)
		case !theirs && err == nil && !hasReason(laxer, why):
			t.Errorf("%s of %d bytes is read, but libsepol says %q", what, len(pol), why)
		}
	}
}

func hasReason(reasons map[string]string, text string) bool {
	for part := range reasons {
		if part == "" && text == "" || part != "" && strings.Contains(text, part) {
			return true
		}
	}
	return false
}

// accepts says whether libsepol reads a policy, and what it says if not. One
// that it crashes on or does not come back from counts as refused.
func accepts(t *testing.T, oracle, dir string, pol []byte) (bool, string) {
	path := filepath.Join(dir, "policy")
	if err := os.WriteFile(path, pol, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(oracle, path)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return err == nil && string(out) == "ok\n", strings.TrimSpace(stderr.String())
}
