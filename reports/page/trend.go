package page

import (
	"strings"

	"xsmbench/reports/table"
	"xsmbench/reports/trend"
)

// trendView is what the template sees of a history.
type trendView struct {
	Title   string
	Changes plainTable
	Meters  *plainTable // nil if no two runs are of one image
	Notes   []string
	Charts  []picture
}

func (r *Report) trendView() (*trendView, error) {
	if r.Trends == nil {
		return nil, nil
	}
	v := &trendView{
		Title: table.TrendTitle(r.Trends), Changes: changeTable(r.Trends), Notes: table.TrendNotes(r.Trends),
	}
	if lines := table.MeterLines(r.Trends); len(lines) > 0 {
		t := newPlain("Noise", table.MeterHead, lines, func(column int) bool { return column >= 2 && column <= 5 })
		v.Meters = &t
	}
	for _, ch := range r.trends {
		svg, err := inline(ch)
		if err != nil {
			return nil, err
		}
		v.Charts = append(v.Charts, picture{svg})
	}
	return v, nil
}

var changeHead = []string{"benchmark", "build", "where", "from", "to", "change", "p", "verdict", "since", "what else changed"}

func changeTable(t *trend.Trends) plainTable {
	var lines [][]string
	for _, c := range table.Changes(t) {
		lines = append(lines, []string{c.Benchmark, c.Build, c.Where, c.Before, c.After, c.Change, c.P, c.Verdict, c.First, strings.Join(c.Remarks, "; ")})
	}
	return newPlain("Changes of level", changeHead, lines, func(column int) bool { return column >= 3 && column <= 6 })
}
