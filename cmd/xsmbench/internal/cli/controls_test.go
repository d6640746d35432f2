package cli

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"xsmbench/hv"
	"xsmbench/hv/hvtest"
)

// TestControls: which controls a run has beside its builds.
func TestControls(t *testing.T) {
	for _, c := range []struct {
		args   string
		target hv.Target
		want   string // what is added, with what it is a control of
	}{
		{"", &hvtest.Target{}, "native2=native native-relinked=native"},
		{"--aa=false", &hvtest.Target{}, ""},
		{"--rounds 5", &hvtest.Target{}, "native2=native"},
		{"--rounds 6 --layouts 1", &hvtest.Target{}, "native2=native native-relinked=native"},
		{"--budget 1m", &hvtest.Target{}, "native2=native native-relinked=native"},
		{"--base dummy", &hvtest.Target{}, "dummy2=dummy dummy-relinked=dummy"},
		{"--builds a=flask@./,b=flask", &hvtest.Target{}, "a2=a a-relinked=a"},
		// Asked for by name already; and a name that is taken.
		{"--builds native,mine=native,flask", &hvtest.Target{}, "native-relinked=native"},
		{"--builds native,native2=dummy", &hvtest.Target{}, "native2-2=native native-relinked=native"},
		// One build is compared with nothing, unless that is what is asked for.
		{"--builds native", &hvtest.Target{}, ""},
		{"--builds native --aa", &hvtest.Target{}, "native2=native native-relinked=native"},
		// Counts do not change by a relink, and this target has none.
		{"--rounds 10", &hvtest.Counting{}, "native2=native"},
		{"--rounds 10 --accel kvm", &hvtest.Counting{}, "native2=native"},
	} {
		var f runFlags
		fs := pflag.NewFlagSet("run", pflag.ContinueOnError)
		f.register(fs)
		if err := fs.Parse(strings.Fields(c.args)); err != nil {
			t.Fatal(err)
		}
		builds, err := f.parse(c.target, "amd64")
		if err != nil {
			t.Fatalf("%q: %v", c.args, err)
		}
		f.defaults(c.target, fs)
		var got []string
		for _, b := range f.withControls(c.target, fs, builds)[len(builds):] {
			got = append(got, b.Name+"="+b.ControlOf)
			base := builds[0]
			for _, o := range builds {
				if o.Name == b.ControlOf {
					base = o
				}
			}
			if b.KindOf() != base.KindOf() || b.Source != base.Source || b.Relinked != strings.HasSuffix(b.Name, "-relinked") {
				t.Errorf("%q: control %+v of %+v", c.args, b, base)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%q: controls %q, want %q", c.args, got, c.want)
		}
	}
}
