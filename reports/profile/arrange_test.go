package profile

import (
	"math"
	"strings"
	"testing"
)

func TestArrange(t *testing.T) {
	run := func() *Run {
		r := &Run{Domains: []string{"dom0", "domU"}}
		for _, b := range []struct {
			name, domain  string
			native, flask float64
		}{{"c", "dom0", 1000, 1050}, {"a", "dom0", 100, 120}, {"b", "dom0", 50, 50}, {"d", "dom0", math.NaN(), 7}, {"e", "domU", 10, 11}} {
			r.Benchmarks = append(r.Benchmarks, &Benchmark{Where: Where{Domain: b.domain}, Name: b.name, Costs: map[string]*Cost{"native": {Total: b.native}, "flask": {Total: b.flask}}})
		}
		return r
	}
	for _, tt := range []struct {
		view View
		want string
	}{
		{View{}, "c a b d e"},
		{View{Sort: "name"}, "a b c d e"},
		{View{Sort: "change"}, "a c b d e"},
		{View{Sort: "cost"}, "c a b d e"},
		{View{Changed: true}, "c a e"},
		{View{Sort: "change", Limit: 1}, "a e"},
	} {
		r := run()
		r.Arrange(tt.view, "native")
		var names []string
		for _, b := range r.Benchmarks {
			names = append(names, b.Name)
		}
		if got := strings.Join(names, " "); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.view, got, tt.want)
		}
	}
}
