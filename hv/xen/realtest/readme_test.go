//go:build realxen

package realtest

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// readmeRow is a line of the README's table on the real Xen: native, and how many
// more dummy and flask execute, in dom0 and in domU.
var readmeRow = regexp.MustCompile("(?m)^\\| `([^`]+)`" +
	strings.Repeat(` \| (\d+|–) \| (\S+)(?: \([^)]*\))? \| (\S+)(?: \([^)]*\))?`, 2) + ` \| \d+ \|$`)

// long is from how many instructions on a run may mark a figure of the README as not
// exact: it is so where a few windows of a long operation had more to do than the
// others, which depends on when the snapshot was made.
const long = 100_000

// TestReadme: the README's figures are those of a run, to the last digit. A run
// of the short suite has some of them.
func TestReadme(t *testing.T) {
	if !knownSource(images(t, threeBuilds(t))["native"].Config) {
		t.Skip("another source or compiler than the README's figures are of")
	}
	c := compareRun(t, threeBuilds(t))
	rows := readmeRow.FindAllStringSubmatch(read(t, "../../../README.md"), -1)
	checked := 0
	for _, row := range rows {
		for i, domain := range []string{"dom0", "domU"} {
			for j, build := range []string{"dummy", "flask"} {
				base, more := row[2+3*i], row[3+3*i+j]
				r, ok := c.rows[key(build, domain, row[1])]
				switch {
				case base == "–", !ok && os.Getenv("XSMBENCH_XEN_RUN") == "":
					continue
				case !ok:
					t.Errorf("%s in %s: no row of %s", row[1], domain, build)
					continue
				}
				checked++
				if *r.Base != figure(t, base) || *r.Value-*r.Base != figure(t, more) {
					t.Errorf("%s in %s: README has native %s, %s %s; the run %v, %+v",
						row[1], domain, base, build, more, *r.Base, *r.Value-*r.Base)
				}
				if !r.exact && *r.Base < long {
					t.Errorf("%s in %s: not exact with %s in this run: %s", row[1], domain, build, strings.Join(r.warnings, "; "))
				}
			}
		}
	}
	if len(rows) < 10 || checked < 8 {
		t.Errorf("only %d rows in the README, %d figures of them in the run", len(rows), checked)
	}
}

// figure reads a number as the README writes it.
func figure(t *testing.T, text string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(strings.Replace(text, "−", "-", 1), 64)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
