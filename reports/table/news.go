package table

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"xsmbench/reports/trend"
)

// writeNews names the series that the newest run lacks, or is the first to have,
// and those that were read under another name.
func writeNews(w io.Writer, t *trend.Trends, news trend.News) {
	lines := NewsLines(t, news)
	for _, line := range lines {
		fmt.Fprintln(w, line)
	}
	if len(lines) > 0 {
		fmt.Fprintln(w)
	}
}

// NewsLines say the same in lines.
func NewsLines(t *trend.Trends, news trend.News) []string {
	var lines []string
	for _, m := range news.Changes {
		lines = append(lines, fmt.Sprintf("new with %s: %s, %s: %s", RunName(news.Run), m.Benchmark, m.Build, m.Verdict(m.Change)))
	}
	var ends []string // the last runs of what ended, in order
	ended := map[string][]string{}
	for _, s := range news.Ended {
		last := RunName(t.Runs[s.Points[len(s.Points)-1].Run])
		if !slices.Contains(ends, last) {
			ends = append(ends, last)
		}
		ended[last] = append(ended[last], seriesName(s))
	}
	for _, last := range ends {
		lines = append(lines, fmt.Sprintf("ended with %s: %s", last, strings.Join(ended[last], "; ")))
	}
	var begun []string
	for _, s := range news.New {
		begun = append(begun, seriesName(s))
	}
	if len(begun) > 0 {
		lines = append(lines, fmt.Sprintf("begun with %s: %s", RunName(news.Run), strings.Join(begun, "; ")))
	}
	for _, r := range t.Renamed {
		lines = append(lines, fmt.Sprintf("renamed after %s: %s is read as %s", RunName(r.Last), r.Old, r.New))
	}
	return lines
}

func seriesName(s *trend.Series) string {
	return fmt.Sprintf("%s, %s in %s, %s", s.Benchmark, s.Build, s.Domain, s.Scale())
}
