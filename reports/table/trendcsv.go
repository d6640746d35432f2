package table

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"time"

	"xsmbench/reports/trend"
)

var trendColumns = []string{
	"host", "target", "arch", "accel", "workload", "domain", "domu", "idle", "benchmark", "build", "unit", "over",
	"run", "label", "started", "image", "value", "sd_log", "boots", "exact", "level", "change", "p", "limit",
}

// TrendCSV writes a line for each run of each series. change is the new level
// as a multiple of the old, in the first run of a new level.
func TrendCSV(w io.Writer, t *trend.Trends) error {
	out := csv.NewWriter(w)
	out.Write(trendColumns)
	for _, s := range t.Series {
		changes := map[int]trend.Change{}
		for _, c := range s.Changes {
			changes[c.After] = c
		}
		for _, level := range s.Levels() {
			for i := level.From; i < level.To; i++ {
				out.Write(trendLine(t, s, i, level.Value, changes))
			}
		}
	}
	out.Flush()
	return out.Error()
}

func trendLine(t *trend.Trends, s *trend.Series, i int, level float64, changes map[int]trend.Change) []string {
	p := s.Points[i]
	run := t.Runs[p.Run]
	change, chance := "", ""
	if c, ok := changes[i]; ok {
		change, chance = cell(c.Ratio()), cell(c.P)
	}
	return []string{
		word(s.Host), word(s.Target), word(s.Arch), word(s.Accel), word(s.Workload), word(s.Domain), word(s.DomU), fmt.Sprint(s.Idle), word(s.Benchmark), word(s.Build), word(s.Unit), word(s.Over),
		word(run.ID), word(run.Label), run.Run.Started.UTC().Format(time.RFC3339), word(strings.Join(t.ImagesOf(p), " ")),
		cell(p.Value), cell(p.SD), fmt.Sprint(p.Boots), fmt.Sprint(p.Exact), cell(level), change, chance, cell(s.Limit),
	}
}
