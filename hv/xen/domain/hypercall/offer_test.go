package hypercall

import (
	"strings"
	"testing"
)

func TestParseOffer(t *testing.T) {
	want := offer{from: 0, to: 0x7fef, grant: 1<<32 - 1, plain: 1, echo: 2, ask: 3}
	if got, err := parseOffer(want.String()); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	const good = "xsmbench-offer/1 from=0 to=5 grant=8 plain=20 echo=21 ask=22"
	for old, new := range map[string]string{
		"offer/1":  "offer/2",
		" from=0":  "",
		"to=5":     "to=65536",
		"grant=8":  "grant=4294967296",
		"plain=20": "plain=0",
		"echo=21":  "echo=021",
		"ask=22":   "ask=22 more=1",
		"ask=":     "ask=+",
		" to=5":    " to=-5",
		"from=0":   " from=0",
		"grant":    "Grant",
		"=22":      "=22" + strings.Repeat("2", 200),
	} {
		s := strings.Replace(good, old, new, 1)
		if o, err := parseOffer(s); err == nil {
			t.Errorf("%q is taken as %+v", s, o)
		}
	}
}

func TestParseAnswer(t *testing.T) {
	want := answer{from: 5, to: 0, grant: 9}
	if got, err := parseAnswer(want.String()); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	for _, s := range []string{"", "xsmbench-answer/1", want.String() + " ", offer{}.String()} {
		if a, err := parseAnswer(s); err == nil {
			t.Errorf("%q is taken as %+v", s, a)
		}
	}
}

// FuzzParse checks that what is taken is what would have been written.
func FuzzParse(f *testing.F) {
	f.Add(offer{0, 5, 8, 20, 21, 22}.String())
	f.Add(answer{5, 0, 9}.String())
	f.Add("xsmbench-offer/1 from= to= grant= plain= echo= ask=")
	f.Fuzz(func(t *testing.T, s string) {
		if o, err := parseOffer(s); err == nil && o.String() != s {
			t.Errorf("%q is taken as %q", s, o)
		}
		if a, err := parseAnswer(s); err == nil && a.String() != s {
			t.Errorf("%q is taken as %q", s, a)
		}
	})
}
