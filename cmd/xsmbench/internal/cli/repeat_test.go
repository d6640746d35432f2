package cli

import (
	"slices"
	"strings"
	"testing"

	"xsmbench/hv"
	"xsmbench/reports/compare"
	"xsmbench/reports/gate"
	"xsmbench/results"
)

func TestRepeat(t *testing.T) {
	one, two := []string{"Lmbench/lat_pipe"}, []string{"Lmbench/lat_pipe", "Lmbench/lat_ctx/size=0K"}
	for _, tt := range []struct {
		command    string
		flags      gateFlags
		benchmarks []string
		want       []string
	}{
		{"xsmbench run -o a --target xen", gateFlags{earlierFlags: earlierFlags{against: "old run"}}, one,
			[]string{"xsmbench run --target xen --bench '^Lmbench/lat_pipe$' -o again", "xsmbench gate again --against 'old run'"}},
		{"xsmbench run --output=a --bench x --rounds 3 --bench=y -ob", gateFlags{only: []string{"dummy", "flask"}}, two,
			[]string{"xsmbench run --rounds 3 --bench '^(Lmbench/lat_pipe|Lmbench/lat_ctx/size=0K)$' -o again", "xsmbench gate again --only dummy,flask --base other"}},
		{"xsmbench run --bench x", gateFlags{}, nil, []string{"xsmbench run --bench x -o again", "xsmbench gate again --base other"}},
		{"xsmbench compare a", gateFlags{}, one, nil},
	} {
		in := &gate.Input{
			Run:        &results.Run{Command: strings.Fields(tt.command), Spec: results.Spec{Builds: []hv.Build{{Name: "native"}}}},
			Comparison: &compare.Comparison{Base: "other"},
		}
		var got []string
		if repeat := tt.flags.repeat(in); repeat != nil {
			got = repeat(tt.benchmarks)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.command, got, tt.want)
		}
	}
}
