package cli

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"xsmbench/reports/plot"
	"xsmbench/reports/table"
	"xsmbench/reports/trend"
	"xsmbench/results/history"
)

// trendFormats are the ways to write a trend.
var trendFormats = []string{"text", "csv", "json"}

// trendFlags say which series to read.
type trendFlags struct {
	store, host, alpha         string
	bench, build, domain, unit string
	builds, domains            []string
	over                       string
	anyHost                    bool
	rename                     map[string]string // of the experiment file
}

func newHistoryTrend() *cobra.Command {
	var f trendFlags
	var format, out, failOn string
	var missing bool
	c := &cobra.Command{
		Use:   "trend",
		Short: "Find when figures changed over the runs",
		Long: `Trend follows each figure over the runs of a host, in the order in which they
started, and reports when its level changed. Repeated runs of one image measure the
noise; smaller changes are not shown. An exact count is reported even if it changed
by one instruction.

--over BUILD follows the overheads against that build, as compare reports them,
instead of the figures. A cause that affects both builds, such as a new kernel on
the host, cancels out.

-o FILE.svg or FILE.png draws the series of one domain and unit; -o DIR draws all.

Series that are missing from the newest run, or new in it, are named. [rename] in
the experiment file gives builds and benchmarks their new names.

The exit code is 0 whatever the trends, unless --fail-on new is given. It is then 1
if the newest run shows a change to a higher cost that earlier runs did not show, and
2 if it shows none but a series ended or began with it.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := withConfig(c); err != nil {
				return err
			}
			if !slices.Contains(trendFormats, format) {
				return fmt.Errorf("--format %s: no such format%s", format, suggest(format, trendFormats))
			}
			if !slices.Contains(trendFailOns, failOn) {
				return fmt.Errorf("--fail-on %s: no such condition%s", failOn, suggest(failOn, trendFailOns))
			}
			path, given := configOf(c)
			renames, err := readRenames(nil, path, given)
			if err != nil {
				return err
			}
			f.rename = renames.file
			t, news, err := f.read()
			if err != nil {
				return err
			}
			if err := writeTrend(c.OutOrStdout(), t, news, format); err != nil {
				return err
			}
			if out != "" {
				if err := drawTrend(t, out); err != nil {
					return err
				}
			}
			if failOn == "never" {
				return nil
			}
			return newsCode(t, news, missing)
		},
	}
	storeFlag(c.Flags(), &f.store)
	c.Flags().StringVar(&f.bench, "bench", "", "regular expression over the benchmarks' names (default: all)")
	c.Flags().StringSliceVar(&f.builds, "builds", nil, "only these builds (default: all)")
	c.Flags().StringSliceVar(&f.domains, "domains", nil, "only these domains (default: all)")
	older(c.Flags(), &f.build, "build", "builds")
	older(c.Flags(), &f.domain, "domain", "domains")
	mark(c.Flags(), "builds")
	mark(c.Flags(), "domains")
	c.Flags().StringVar(&f.unit, "unit", "", "regular expression over the units (default: those of costs and rates)")
	c.Flags().StringVar(&f.over, "over", "", "show the other builds' overheads against this build, paired by boot")
	c.Flags().StringVar(&f.host, "host", "", "only runs of this host, as shown by list")
	c.Flags().BoolVar(&f.anyHost, "any-host", false, "combine the counts of all hosts; times stay separate")
	c.Flags().StringVar(&f.alpha, "alpha", "5%", "probability that any reported change is false, over all series")
	c.Flags().StringVar(&format, "format", "text", "text, csv or json")
	c.Flags().StringVar(&failOn, "fail-on", "never", "when to exit with 1 or 2: never, or new (on what only the newest run shows)")
	c.Flags().BoolVar(&missing, "allow-missing", false, "with --fail-on new: ignore series that ended or began")
	c.Flags().StringVarP(&out, "output", "o", "", "picture to draw: FILE.svg, FILE.png, or a directory")
	configFlag(c)
	return c
}

func (f *trendFlags) options() (trend.Options, error) {
	o := trend.Options{Over: f.over, Host: f.host, AnyHost: f.anyHost, Rename: f.rename}
	for _, r := range []struct {
		flag, text string
		to         **regexp.Regexp
	}{{"bench", f.bench, &o.Bench}, {"build", anyOf(f.builds, f.build), &o.Build}, {"domain", anyOf(f.domains, f.domain), &o.Domain}, {"unit", f.unit, &o.Unit}} {
		if r.text == "" {
			continue
		}
		re, err := regexp.Compile(r.text)
		if err != nil {
			return o, fmt.Errorf("--%s: %w", r.flag, err)
		}
		*r.to = re
	}
	var err error
	if o.Alpha, err = share(f.alpha); err != nil || o.Alpha <= 0 || o.Alpha >= 0.5 {
		return o, fmt.Errorf("--alpha %s: use a share between 0 and 50%%, such as 5%% or 0.05", f.alpha)
	}
	return o, nil
}

// anyOf is an expression that matches the names, or else the one given.
func anyOf(names []string, expression string) string {
	if len(names) == 0 {
		return expression
	}
	var quoted []string
	for _, name := range names {
		quoted = append(quoted, regexp.QuoteMeta(name))
	}
	return "^(?:" + strings.Join(quoted, "|") + ")$"
}

func (f *trendFlags) read() (t *trend.Trends, news trend.News, err error) {
	o, err := f.options()
	if err != nil {
		return nil, news, err
	}
	s, err := openStore(f.store)
	if err != nil {
		return nil, news, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if t, news, err = trend.ReadNews(s, o); err != nil {
		return nil, news, err
	}
	if len(t.Series) == 0 {
		if o.Over != "" {
			return nil, news, fmt.Errorf("read trends: %s has no such series of a build that ran beside %s (see xsmbench history list and history show)", s.Path(), o.Over)
		}
		return nil, news, fmt.Errorf("read trends: %s has no such series (see xsmbench history list and history show)", s.Path())
	}
	return t, news, nil
}

// trendFailOns are the values of --fail-on.
var trendFailOns = []string{"never", "new"}

// newsCode is the exit code that the newest run asks for.
func newsCode(t *trend.Trends, news trend.News, allowMissing bool) error {
	worse := 0
	for _, m := range news.Changes {
		if m.Worse() {
			worse++
		}
	}
	ended, begun := len(news.Lapsed(t)), len(news.New)
	switch {
	case worse > 0:
		return &exitError{ExitRegression, fmt.Errorf("%s shows %s to a higher cost that earlier runs did not show", table.RunName(news.Run), number(worse, "change"))}
	case allowMissing:
		return nil
	case len(t.Runs) == 1:
		return &exitError{ExitInconclusive, fmt.Errorf("%s is the only run: there is nothing to compare it with", table.RunName(news.Run))}
	case ended+begun > 0:
		return &exitError{ExitInconclusive, fmt.Errorf("%s: %d series ended and %d began, and cannot be judged", table.RunName(news.Run), ended, begun)}
	}
	return nil
}

func writeTrend(w io.Writer, t *trend.Trends, news trend.News, format string) error {
	switch format {
	case "csv":
		return table.TrendCSV(w, t)
	case "json":
		return table.TrendJSON(w, t)
	}
	return table.Trends(table.HarmlessWriter(w), t, news)
}

// drawTrend draws into a file or a directory, as the name says.
func drawTrend(t *trend.Trends, out string) error {
	charts := plot.Trends(t)
	if ext := filepath.Ext(out); ext != ".svg" && ext != ".png" {
		return plot.SaveAll(charts, out)
	}
	if len(charts) > 1 {
		var names []string
		for _, ch := range charts {
			names = append(names, ch.Title)
		}
		return fmt.Errorf("draw %s: there are %d pictures (%s): choose with --domains, --unit or --host, or name a directory", out, len(charts), strings.Join(names, "; "))
	}
	return charts[0].Save(out)
}

// trends reads those of a history that are of the input's run: where it ran,
// and what it measured. A run of another host, or files without a run, have
// none.
func (in input) trends(store string) (t *trend.Trends, err error) {
	if store == "" {
		return nil, nil
	}
	if in.Run == nil {
		return nil, fmt.Errorf("--store %s: only a run directory has a history", store)
	}
	s, err := openStore(store)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return trend.Read(s, trend.Options{Host: history.HostKey(in.Run.Host), Run: &in.Run.Spec})
}
