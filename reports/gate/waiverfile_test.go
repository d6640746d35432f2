package gate

import (
	"strings"
	"testing"
)

func TestParseWaivers(t *testing.T) {
	got, err := parseWaivers("x.toml", `
rounds = 3
[[waive]]
benchmark = "lat_ctx"
domain = "domU"
build = "flask"
until = 2027-01-31
reason = " known "

 [[ waive ]] # two
benchmark = "op=fork$"
until = "2027-02-28"
reason = "known, too"
`)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].Place != "x.toml:3" || got[1].Place != "x.toml:10" || got[0].Reason != "known" ||
		got[0].String() != "lat_ctx in domU of flask" || got[0].Until.Format(Day) != "2027-01-31" || got[1].Until.Format(Day) != "2027-02-28" {
		t.Errorf("%+v", got)
	}
	for text, want := range map[string]string{
		"[[waive]]\nbenchmark = \"(\"\nuntil = 2027-01-31\nreason = \"x\"": "x.toml:1: waive (: error parsing regexp",
		"[[waive]]\nbenchmark = \"a\"\nuntil = 7\nreason = \"x\"":          "x.toml:1: waive a: until = 7 is not a date",
		"[[waive]]\nbenchmark = \"a\"\nuntil = 2027-01-31\nreason = \" \"": "x.toml:1: waive a: no reason",
		"[[waive]]\nuntil = 2027-01-31\nreason = \"x\"":                    "x.toml:1: waive: no benchmark",
		"[[waive]]\nunit = \"ns/op\"":                                      `unknown key "unit" of [[waive]]`,
		"\nwaive = = 3":                                                    "x.toml:2: ",
		"waive = \"lat_ctx\"":                                              "x.toml: ",
	} {
		if _, err := parseWaivers("x.toml", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}

func FuzzParseWaivers(f *testing.F) {
	f.Add("[[waive]]\nbenchmark = \"lat_ctx\"\nuntil = 2027-01-31\nreason = \"x\"")
	f.Add("waive = [{benchmark = \"a\", until = \"2027-01-31\", reason = \"b\"}]")
	f.Add("[waive]\nbenchmark = 3")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := parseWaivers("x.toml", text)
		if err != nil {
			return
		}
		for _, w := range all {
			if w.Benchmark == "" || w.Reason == "" || w.Until.IsZero() || w.Place == "" {
				t.Errorf("%q: %+v", text, w)
			}
		}
	})
}
