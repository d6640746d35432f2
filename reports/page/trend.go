package page

import "xsmbench/reports/table"

// trendView is what the template sees of a history.
type trendView struct {
	Title     string
	Changes   []table.ChangeLine
	MeterHead []string
	Meters    [][]string
	Notes     []string
	Charts    []chart
}

func (r *Report) trendView() (*trendView, error) {
	if r.Trends == nil {
		return nil, nil
	}
	v := &trendView{
		Title: table.TrendTitle(r.Trends), Changes: table.Changes(r.Trends),
		MeterHead: table.MeterHead, Meters: table.MeterLines(r.Trends), Notes: table.TrendNotes(r.Trends),
	}
	for _, ch := range r.trends {
		svg, err := inline(ch)
		if err != nil {
			return nil, err
		}
		v.Charts = append(v.Charts, chart{ch.Title, ch.Text, svg})
	}
	return v, nil
}
