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
	over                       string
	anyHost                    bool
}

func newHistoryTrend() *cobra.Command {
	var f trendFlags
	var format, out string
	c := &cobra.Command{
		Use:   "trend",
		Short: "Say where figures changed over the runs",
		Long: `Trend reads each figure over the runs of a host, in the order in which they
started, and says where its level changed. Runs of one image measure the noise: no
change smaller than theirs is shown. Counts that are exact change with every
instruction.

--over BUILD reads the overheads over a build, as compare has them, instead of the
figures. What moves both builds, such as a kernel of the host, cancels in them.

-o FILE.svg or FILE.png draws the series of one domain and unit, -o DIR all of
them.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := withConfig(c); err != nil {
				return err
			}
			if !slices.Contains(trendFormats, format) {
				return fmt.Errorf("--format %s: no such format%s", format, suggest(format, trendFormats))
			}
			t, err := f.read()
			if err != nil {
				return err
			}
			if err := writeTrend(c.OutOrStdout(), t, format); err != nil {
				return err
			}
			if out == "" {
				return nil
			}
			return drawTrend(t, out)
		},
	}
	storeFlag(c.Flags(), &f.store)
	c.Flags().StringVar(&f.bench, "bench", "", "regular expression over the benchmarks' names (default: all)")
	c.Flags().StringVar(&f.build, "build", "", "regular expression over the builds' names (default: all)")
	c.Flags().StringVar(&f.domain, "domain", "", "regular expression over the domains' names (default: all)")
	c.Flags().StringVar(&f.unit, "unit", "", "regular expression over the units (default: those of costs and rates)")
	c.Flags().StringVar(&f.over, "over", "", "trends of the other builds' costs over this build's, in pairs of boots")
	c.Flags().StringVar(&f.host, "host", "", "only runs of this host, as list shows it")
	c.Flags().BoolVar(&f.anyHost, "any-host", false, "join the counts of all hosts; times stay apart")
	c.Flags().StringVar(&f.alpha, "alpha", "5%", "chance that any change is false, over all series")
	c.Flags().StringVar(&format, "format", "text", "text, csv or json")
	c.Flags().StringVarP(&out, "output", "o", "", "picture to draw: FILE.svg, FILE.png, or a directory")
	configFlag(c)
	return c
}

func (f *trendFlags) options() (trend.Options, error) {
	o := trend.Options{Over: f.over, Host: f.host, AnyHost: f.anyHost}
	for _, r := range []struct {
		flag, text string
		to         **regexp.Regexp
	}{{"bench", f.bench, &o.Bench}, {"build", f.build, &o.Build}, {"domain", f.domain, &o.Domain}, {"unit", f.unit, &o.Unit}} {
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
		return o, fmt.Errorf("--alpha %s: use a share between 0 and 50%%, as 5%% or 0.05", f.alpha)
	}
	return o, nil
}

func (f *trendFlags) read() (t *trend.Trends, err error) {
	o, err := f.options()
	if err != nil {
		return nil, err
	}
	s, err := openStore(f.store)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if t, err = trend.Read(s, o); err != nil {
		return nil, err
	}
	if len(t.Series) == 0 {
		if o.Over != "" {
			return nil, fmt.Errorf("read trends: %s has no such series of a build that ran beside %s (see xsmbench history list and history show)", s.Path(), o.Over)
		}
		return nil, fmt.Errorf("read trends: %s has no such series (see xsmbench history list and history show)", s.Path())
	}
	return t, nil
}

func writeTrend(w io.Writer, t *trend.Trends, format string) error {
	switch format {
	case "csv":
		return table.TrendCSV(w, t)
	case "json":
		return table.TrendJSON(w, t)
	}
	return table.Trends(w, t)
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
		return fmt.Errorf("draw %s: there are %d pictures (%s): choose with --domain, --unit or --host, or name a directory", out, len(charts), strings.Join(names, "; "))
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
