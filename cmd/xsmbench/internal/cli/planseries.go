package cli

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"xsmbench/cmd/xsmbench/internal/progress"
	"xsmbench/experiment"
)

// ofPlan are the flags of plan that hold for a run and for a series.
var ofPlan = []string{"shards", "costs", "save-costs", "learn", "format", "config"}

// checkSeries refuses flags of series without revisions, and flags of run with them.
func (f *planFlags) checkSeries(fs *pflag.FlagSet) (err error) {
	ofRevisions := []string{"revs", "every", "merges", "touching"}
	fs.Visit(func(flag *pflag.Flag) {
		switch name := flag.Name; {
		case err != nil || slices.Contains(ofPlan, name):
		case slices.Contains(ofRevisions, name):
			if f.revs.revs == "" {
				err = fmt.Errorf("--%s: it chooses among the revisions of --revs A..B", name)
			}
		case f.revs.revs != "" && !slices.Contains(ofEach, name):
			err = fmt.Errorf("--%s: series has no such flag, and --revs plans a series", name)
		}
	})
	return err
}

// planSeries shows the plan of a series.
func (f *planFlags) planSeries(c *cobra.Command, each experiment.Question) error {
	o, err := f.revs.of(ofRevision(each)).Outlook(c.Context())
	if err != nil {
		return inFlags(err)
	}
	if f.shards != 0 {
		if err := o.Check(f.shards); err != nil {
			return inFlags(err)
		}
	}
	v := &progress.SeriesPlan{Outlook: o, Shards: f.shards, From: f.costs}
	first, err := readCosts(f.costs)
	if err != nil {
		return err
	}
	other := first
	if first == nil {
		e, err := f.experience(o.Target, o.Spec)
		if err != nil {
			return err
		}
		v.Runs = len(e.Runs)
		first, other = e.Costs(o.Target, o.Spec), e.LaterCosts(o.Target, o.Spec)
	}
	if v.Times, err = o.Times(first, other); err != nil {
		return inFlags(err)
	}
	if v.Each, err = experiment.NewPlan(o.Target, o.Spec, first); err != nil {
		return inFlags(err)
	}
	if f.save != "" {
		if err := saveCosts(f.save, v.Each.Costs); err != nil {
			return err
		}
	}
	if f.format == "json" {
		return v.WriteJSON(c.OutOrStdout())
	}
	return v.Write(c.OutOrStdout())
}
