package table

import (
	"encoding/json"
	"io"
	"time"

	"xsmbench/reports/trend"
)

type jsonTrends struct {
	Schema int          `json:"schema"`
	Alpha  float64      `json:"alpha"`
	Runs   []jsonRun    `json:"runs"`
	Series []jsonSeries `json:"series"`
	Noise  []jsonMeter  `json:"noise"`
	Hidden int          `json:"hidden"` // changes below the limit
}

type jsonRun struct {
	ID      string    `json:"id"`
	Label   string    `json:"label"`
	Started time.Time `json:"started"`
	Host    string    `json:"host"`
	Tool    string    `json:"tool"`
	Kernel  string    `json:"kernel"`
}

type jsonSeries struct {
	Host string `json:"host"`
	jsonEnvironment
	Domain    string       `json:"domain"`
	Benchmark string       `json:"benchmark"`
	Build     string       `json:"build"`
	Unit      string       `json:"unit"`
	Over      string       `json:"over,omitempty"` // a build: values are multiples of its cost
	Exact     bool         `json:"exact"`
	Limit     *float64     `json:"limit"`
	Points    []jsonPoint  `json:"points"`
	Changes   []jsonChange `json:"changes"`
}

type jsonPoint struct {
	Run    int      `json:"run"` // index in runs
	Value  *float64 `json:"value"`
	SD     *float64 `json:"sd_log"`
	Boots  int      `json:"boots"`
	Images []string `json:"images"`
	Exact  bool     `json:"exact"`
}

type jsonChange struct {
	Run       int      `json:"run"` // the first of the new level
	Before    *float64 `json:"before"`
	After     *float64 `json:"after"`
	Ratio     *float64 `json:"ratio"`
	P         *float64 `json:"p"`
	Exact     bool     `json:"exact"`
	SameImage bool     `json:"same_image"`
	Verdict   string   `json:"verdict"`
	Remarks   []string `json:"remarks"` // what else differs between the runs
}

type jsonMeter struct {
	Host     string   `json:"host"`
	Target   string   `json:"target"`
	Arch     string   `json:"arch"`
	Accel    string   `json:"accel"`
	Workload string   `json:"workload"`
	Unit     string   `json:"unit"`
	Series   int      `json:"series"`
	Pairs    int      `json:"pairs"`
	Typical  *float64 `json:"typical"`
	Limit    *float64 `json:"limit"`
	Largest  *float64 `json:"largest"`
}

// TrendJSON writes the history for programs.
func TrendJSON(w io.Writer, t *trend.Trends) error {
	out := jsonTrends{Schema: Schema, Alpha: t.Alpha, Runs: []jsonRun{}, Series: []jsonSeries{}, Noise: []jsonMeter{}, Hidden: t.Hidden()}
	for _, r := range t.Runs {
		out.Runs = append(out.Runs, jsonRun{ID: r.ID, Label: r.Label, Started: r.Run.Started.UTC(), Host: r.Host, Tool: r.Run.Tool, Kernel: r.Run.Host.Kernel})
	}
	for _, s := range t.Series {
		out.Series = append(out.Series, seriesJSON(t, s))
	}
	for _, m := range t.Meters {
		out.Noise = append(out.Noise, jsonMeter{
			Host: m.Host, Target: m.Target, Arch: m.Arch, Accel: m.Accel, Workload: m.Workload, Unit: m.Scale,
			Series: m.Series, Pairs: m.Pairs, Typical: finite(m.Typical), Limit: finite(m.Limit), Largest: finite(m.Largest),
		})
	}
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(out)
}

func seriesJSON(t *trend.Trends, s *trend.Series) jsonSeries {
	j := jsonSeries{
		Host: s.Host, jsonEnvironment: environmentOf(s.Environment), Domain: s.Domain,
		Benchmark: s.Benchmark, Build: s.Build, Unit: s.Unit, Over: s.Over, Exact: s.Exact, Limit: finite(s.Limit), Points: []jsonPoint{}, Changes: []jsonChange{},
	}
	for _, p := range s.Points {
		j.Points = append(j.Points, jsonPoint{
			Run: p.Run, Value: finite(p.Value), SD: finite(p.SD), Boots: p.Boots, Images: append([]string{}, t.ImagesOf(p)...), Exact: p.Exact,
		})
	}
	for _, c := range s.Changes {
		j.Changes = append(j.Changes, jsonChange{
			Run: s.Points[c.After].Run, Before: finite(c.From), After: finite(c.To), Ratio: finite(c.Ratio()), P: finite(c.P),
			Exact: c.Exact, SameImage: c.SameImage, Verdict: s.Verdict(c), Remarks: append([]string{}, t.Differences(s, c)...),
		})
	}
	return j
}
