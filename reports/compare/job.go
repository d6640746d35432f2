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

// bySeries parts jobs by their series.
func bySeries(jobs []job) (groups [][]job) {
	for len(jobs) > 0 {
		n := 1
		for n < len(jobs) && jobs[n].series == jobs[0].series {
			n++
		}
		groups, jobs = append(groups, jobs[:n]), jobs[n:]
	}
	return groups
}

// compareRows makes the rows that were noted, those of as many series at a time
// as there are processors.
func (c *Comparison) compareRows() {
	groups := bySeries(c.jobs)
	var next atomic.Int64
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			bench := &workbench{pairings: pairings{}}
			for i := next.Add(1) - 1; int(i) < len(groups); i = next.Add(1) - 1 {
				for k := range groups[i] {
					j := &groups[i][k]
					j.row = compareRow(j.series, j.build, j.opt, bench)
					j.row.cross(j.hooks, j.opt)
				}
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
