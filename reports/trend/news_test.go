package trend

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"xsmbench/results/history"
)

// days makes news of a history: a run a day, each with figures "benchmark=count"
// that its boots agree on, in xen-instr/op.
func days(t *testing.T, opt Options, runs ...string) (*Trends, News) {
	t.Helper()
	trends, news, err := readNews(func(take func(history.Run, []history.Series) error) error {
		for i, text := range runs {
			var series []history.Series
			for _, word := range strings.Fields(text) {
				name, count, _ := strings.Cut(word, "=")
				var v float64
				fmt.Sscan(count, &v)
				series = append(series, figure{benchmark: name, unit: "xen-instr/op", values: []float64{v, v}}.series())
			}
			if err := take(runOf(i+1, "h"), series); err != nil {
				return err
			}
		}
		return nil
	}, opt)
	if err != nil {
		t.Fatal(err)
	}
	return trends, news
}

func names(all []*Series) string {
	var text []string
	for _, s := range all {
		text = append(text, s.Benchmark)
	}
	return strings.Join(text, " ")
}

func TestNews(t *testing.T) {
	for _, tt := range []struct {
		name    string
		runs    []string
		rename  map[string]string
		changes string // "benchmark+" for a higher cost
		ended   string
		lapsed  string // with the newest run
		begun   string
	}{
		{"nothing", []string{"a=1 b=2", "a=1 b=2", "a=1 b=2"}, nil, "", "", "", ""},
		{"a change", []string{"a=1 b=2", "a=1 b=2", "a=1 b=3"}, nil, "b+", "", "", ""},
		{"a change for the better", []string{"a=1", "a=1", "a=0"}, nil, "a-", "", "", ""},
		{"an old change", []string{"a=1", "a=2", "a=2"}, nil, "", "", "", ""},
		{"ended", []string{"a=1 b=2", "a=1 b=2", "a=1"}, nil, "", "b", "b", ""},
		{"ended earlier", []string{"a=1 b=2", "a=1", "a=1"}, nil, "", "b", "", ""},
		{"new", []string{"a=1", "a=1", "a=1 b=2"}, nil, "", "", "", "b"},
		{"renamed, nobody says so", []string{"a=1", "a=1", "b=2"}, nil, "", "a", "a", "b"},
		{"renamed", []string{"a=1", "a=1", "b=2"}, map[string]string{"a": "b"}, "b+", "", "", ""},
		{"a name that is in use", []string{"a=1 b=5", "a=1 b=5", "b=5"}, map[string]string{"a": "b"}, "", "a", "a", ""},
		{"one run", []string{"a=1"}, nil, "", "", "", ""},
		{"none", nil, nil, "", "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			trends, news := days(t, Options{Rename: tt.rename}, tt.runs...)
			var changes []string
			for _, m := range news.Changes {
				changes = append(changes, m.Benchmark+map[bool]string{true: "+", false: "-"}[m.Worse()])
			}
			got := []string{strings.Join(changes, " "), names(news.Ended), names(news.Lapsed(trends)), names(news.New)}
			if want := []string{tt.changes, tt.ended, tt.lapsed, tt.begun}; !slices.Equal(got, want) {
				t.Errorf("%q, want %q", got, want)
			}
			if (len(trends.Renamed) > 0) != (tt.name == "renamed") {
				t.Errorf("renamed: %+v", trends.Renamed)
			}
		})
	}
}

// Runs of another host or target end nothing.
func TestNewsOfKind(t *testing.T) {
	one := figure{benchmark: "A/b", unit: "xen-instr/op", values: []float64{1, 1}}.series()
	other := one
	other.Target = "xen"
	for _, second := range []struct {
		host   string
		series history.Series
	}{{"other", one}, {"h", other}} {
		_, news, err := readNews(func(take func(history.Run, []history.Series) error) error {
			if err := take(runOf(1, "h"), []history.Series{one}); err != nil {
				return err
			}
			return take(runOf(2, second.host), []history.Series{second.series})
		}, Options{})
		if err != nil || len(news.Ended) > 0 || len(news.New) != 1 {
			t.Errorf("%v: %+v", err, news)
		}
	}
}
