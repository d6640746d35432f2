package compare

import (
	"runtime"

	"golang.org/x/sync/errgroup"
)

// job is a row that is to be made.
type job struct {
	series *series
	build  string
	opt    Options
	hooks  counts
	kin    kin
	row    Row
}

// later notes a row, or a control.
func (c *Comparison) later(s *series, build string, opt Options, hooks counts, kin kin) {
	c.jobs = append(c.jobs, job{series: s, build: build, opt: opt, hooks: hooks, kin: kin})
}

// compareRows makes the rows that were noted, as many at a time as there are
// processors.
func (c *Comparison) compareRows() {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range c.jobs {
		j := &c.jobs[i]
		group.Go(func() error {
			j.row = compareRow(j.series, j.build, j.opt)
			j.row.cross(j.hooks, j.opt)
			return nil
		})
	}
	group.Wait()
	for i := range c.jobs {
		if j := &c.jobs[i]; j.kin != stranger {
			j.row.Relinked = j.kin == relinked
			c.Controls = append(c.Controls, j.row)
		} else {
			c.Rows = append(c.Rows, j.row)
		}
	}
	c.jobs = nil
}
