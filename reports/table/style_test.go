package table

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"xsmbench/bench"
	"xsmbench/reports/about"
	"xsmbench/reports/compare"
	"xsmbench/reports/internal/golden"
	"xsmbench/reports/internal/grid"
	"xsmbench/reports/synthetic"
	"xsmbench/results"
)

// TestNarrow: at 80 columns no line is longer, but for names and commands that
// are; both values and the verdict stand in each row.
func TestNarrow(t *testing.T) {
	for _, run := range []string{"run", "counted"} {
		t.Run(run, func(t *testing.T) {
			c, a := synthetic.Compare(t, run)
			write := func(w io.Writer) error { return Terminal(w, c, a, Style{Width: 80}) }
			golden.Matches(t, *update, run+"-80.txt", write)
			var b bytes.Buffer
			if err := write(&b); err != nil {
				t.Fatal(err)
			}
			for _, line := range strings.Split(b.String(), "\n") {
				if n := grid.Width(line); n > 80 && strings.Contains(strings.TrimSpace(line), " ") {
					t.Errorf("%d columns: %s", n, line)
				}
			}
		})
	}
}

// TestColour: verdicts are coloured, and without the colours the text is that of
// a pipe.
func TestColour(t *testing.T) {
	c, a := synthetic.Compare(t, "run")
	var plain, coloured bytes.Buffer
	if err := Text(&plain, c, a); err != nil {
		t.Fatal(err)
	}
	if err := Terminal(&coloured, c, a, Style{Colour: true}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\x1b[31mslower", "\x1b[33minconclusive"} {
		if !strings.Contains(coloured.String(), want) {
			t.Errorf("no %q", want)
		}
	}
	if strings.Contains(plain.String(), "\x1b") {
		t.Error("colours in plain text")
	}
	bare := coloured.String()
	for _, code := range []string{"31", "32", "33", "0"} {
		bare = strings.ReplaceAll(bare, "\x1b["+code+"m", "")
	}
	var lines []string
	for _, line := range strings.Split(bare, "\n") {
		lines = append(lines, strings.TrimRight(line, " "))
	}
	if strings.Join(lines, "\n") != plain.String() {
		t.Error("coloured text is another text")
	}
}

// evil are names that are more than names somewhere.
var evil = []string{
	"=cmd|'/C_calc'!A0", "+1+1", "-1+1", "@SUM(1)", "A/|b|", "A/**b**", "A/<img/src=x>", "A/`b`", "A/[x](http://e.example)", "A/![x](y)",
	"A/@everyone", "A/#12", "A/!12", "A/$x$", "A/&lt;", "A/http://e.example/x", "A/www.e.example", "A/\x1b[2J", "A/\x1b]0;x\x07", "A/\u202eb", "A/\x9b31m",
}

func evilComparison(t *testing.T) *compare.Comparison {
	t.Helper()
	var samples []results.Sample
	random := rand.New(rand.NewPCG(1, 1))
	for i, name := range evil {
		for _, build := range []string{"native", "=1+1"} {
			for round := range 3 {
				samples = append(samples, results.Sample{Boot: results.Boot{Boot: len(samples) + 1, Round: round + 1}, Build: build, Benchmark: name, Run: "r", Domain: "dom0", Ended: true,
					Values: []bench.Value{{Value: float64(100+i) + random.Float64(), Unit: "ns/op"}}})
			}
		}
	}
	c, err := compare.Compare(samples, compare.Options{Base: "native"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestNamesStayNames: no name steers a terminal, is a formula in a spreadsheet,
// or more than a text in Markdown.
func TestNamesStayNames(t *testing.T) {
	c := evilComparison(t)
	var text, markdown, lkp, mail, sheet bytes.Buffer
	for _, err := range []error{Text(&text, c, about.About{}), Markdown(&markdown, c, about.About{}), LKP(&lkp, c, about.About{}), Mail(&mail, c, about.About{}), CSV(&sheet, c)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for form, b := range map[string]string{"text": text.String(), "lkp": lkp.String(), "mail": mail.String()} {
		for _, bad := range []string{"\x1b", "\x07", "\u202e", "\u009b"} {
			if strings.Contains(b, bad) {
				t.Errorf("%s has %q", form, bad)
			}
		}
	}
	for _, bad := range []string{"@everyone", "#12", "!12", "http://", "www.", "<img", "|b|", "**b", "A/`", " &lt; "} {
		if strings.Contains(markdown.String(), bad) {
			t.Errorf("Markdown has %q", bad)
		}
	}
	columns := 0
	for _, line := range strings.Split(markdown.String(), "\n") {
		if strings.HasPrefix(line, "|") {
			n := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
			if columns == 0 {
				columns = n
			}
			if n != columns {
				t.Errorf("%d bars, not %d: %s", n, columns, line)
			}
		}
	}
	lines, err := csv.NewReader(&sheet).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		for i, cell := range line {
			number := false
			if _, err := fmt.Sscanf(cell, "%g", new(float64)); err == nil && i > 7 {
				number = true
			}
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) && !number {
				t.Errorf("a cell is a formula: %q", cell)
			}
		}
	}
}
