package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"xsmbench/bench"
	_ "xsmbench/bench/lmbench"
	"xsmbench/hv"
	"xsmbench/hv/hvtest"
)

// TestDefaults: what a target says stands in for what was not given.
func TestDefaults(t *testing.T) {
	hv.Register(&hvtest.Target{})
	hv.Register(&hvtest.Counting{})
	type asked struct {
		Rounds, Layouts, Idle int
		DomU                  string
		Options               bench.Options
	}
	for _, c := range []struct {
		args string
		want asked
		err  string
	}{
		{"--target fake", asked{10, 10, 0, "", bench.Options{EnoughUS: 1000}}, ""},
		{"--target fake --quick", asked{3, 3, 0, "", bench.Options{EnoughUS: 100, Quick: true}}, ""},
		{"--target fake --rounds 4 --layouts 2", asked{4, 2, 0, "", bench.Options{EnoughUS: 1000}}, ""},
		{"--target counting", asked{2, 0, 0, "pv", bench.Options{EnoughUS: 1000, Windows: 20}}, ""},
		{"--target counting --quick", asked{2, 0, 0, "pv", bench.Options{EnoughUS: 100, Windows: 20, Quick: true}}, ""},
		{"--target counting --rounds 6 --layouts 1", asked{6, 1, 0, "pv", bench.Options{EnoughUS: 1000, Windows: 20}}, ""},
		{"--target counting --repetitions 7", asked{2, 0, 0, "pv", bench.Options{EnoughUS: 1000, Repetitions: 7, Windows: 7}}, ""},
		{"--target counting --accel kvm", asked{2, 0, 0, "pv", bench.Options{EnoughUS: 1000}}, ""},
		{"--target counting --domu pvh --domus 3", asked{2, 0, 3, "pvh", bench.Options{EnoughUS: 1000, Windows: 20}}, ""},
		{"--target counting --witness", asked{2, 0, 0, "pv", bench.Options{EnoughUS: 1000, Windows: 20, Witness: true}}, ""},
		{"--target fake --witness", asked{}, "--witness: target fake marks no windows"},
		{"--target counting --accel kvm --witness", asked{}, "--witness: target counting marks no windows but with --accel "},
		{"--target counting --layouts 2", asked{}, "--layouts 2: target counting relinks nothing"},
		{"--target counting --domu hvm", asked{}, "--domu hvm: target counting does not have it"},
		{"--target counting --domus 4", asked{}, "--domus 4: must be from 0 to 3"},
		{"--target fake --domu pvh", asked{}, "--domu pvh: target fake has one kind of domU, and one domU; others: --target counting"},
		{"--target fake --domus 1", asked{}, "--domus 1: target fake has one kind"},
	} {
		var f runFlags
		fs := pflag.NewFlagSet("run", pflag.ContinueOnError)
		f.register(fs)
		if err := fs.Parse(strings.Fields(c.args)); err != nil {
			t.Fatal(err)
		}
		_, spec, err := f.spec(fs)
		switch {
		case c.err != "":
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: error %v, want %q", c.args, err, c.err)
			}
			continue
		case err != nil:
			t.Errorf("%s: %v", c.args, err)
			continue
		}
		if other := spec.DomU == "pvh"; spec.OtherDomU != other {
			t.Errorf("%s: other domU %t", c.args, spec.OtherDomU)
		}
		got := asked{spec.Rounds, spec.Layouts, spec.Idle, spec.DomU, spec.Options}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.args, diff)
		}
	}
}
