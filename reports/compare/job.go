package compare

import (
	"runtime"
	"sync"
	"sync/atomic"
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
	var next atomic.Int64
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			var memory []Pair
			for i := next.Add(1) - 1; int(i) < len(c.jobs); i = next.Add(1) - 1 {
				j := &c.jobs[i]
				j.row = compareRow(j.series, j.build, j.opt, &memory)
				j.row.cross(j.hooks, j.opt)
			}
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
