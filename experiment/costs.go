package experiment

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"xsmbench/hv"
	"xsmbench/results"
)

// CostTable is about how long the work of a target takes, by kind of build and
// architecture. As a file it gives all machines of a fleet the same figures.
type CostTable struct {
	Schema int    `json:"schema"`
	Target string `json:"target"`
	Accel  string `json:"accel,omitempty"`
	Rows   []Cost `json:"rows"`
}

// costSchema is the version of the file.
const costSchema = 1

// Cost is a row of a CostTable.
type Cost struct {
	Kind string `json:"kind"`
	Arch string `json:"arch"`
	hv.Costs
	// Runs are how many past runs the figures are from, 0 for the target's own.
	Runs int `json:"runs"`
}

// usualCosts are those of a target that does not tell.
var usualCosts = hv.Costs{Build: 10 * time.Second, Relink: 2 * time.Second, Boot: time.Second, Sample: 50 * time.Millisecond}

// documented is the table without any experience.
func documented(t hv.Target, spec results.Spec) *CostTable {
	table := &CostTable{Schema: costSchema, Target: spec.Target, Accel: spec.Accel}
	c, tells := t.(hv.Coster)
	for _, b := range spec.Builds {
		if table.row(b) != nil {
			continue
		}
		costs := usualCosts
		if tells {
			costs = c.Costs(b, bootSpec(spec))
		}
		table.Rows = append(table.Rows, Cost{Kind: b.KindOf(), Arch: b.Arch, Costs: costs})
	}
	return table
}

// row is that of a build, nil if there is none.
func (c *CostTable) row(b hv.Build) *Cost {
	i := slices.IndexFunc(c.Rows, func(r Cost) bool { return r.Kind == b.KindOf() && r.Arch == b.Arch })
	if i < 0 {
		return nil
	}
	return &c.Rows[i]
}

// over takes the rows of another table, where that has some.
func (c *CostTable) over(other *CostTable) *CostTable {
	if other == nil {
		return c
	}
	all := *c
	all.Rows = slices.Clone(c.Rows)
	for i, r := range all.Rows {
		if o := other.row(hv.Build{Name: r.Kind, Arch: r.Arch}); o != nil {
			all.Rows[i] = *o
		}
	}
	return &all
}

// ReadCosts reads a table's file.
func ReadCosts(r io.Reader) (*CostTable, error) {
	d := json.NewDecoder(io.LimitReader(r, 1<<20))
	d.DisallowUnknownFields()
	var c CostTable
	if err := d.Decode(&c); err != nil {
		return nil, err
	}
	if c.Schema != costSchema {
		return nil, fmt.Errorf("schema %d, this program reads %d", c.Schema, costSchema)
	}
	for _, r := range c.Rows {
		for _, d := range []time.Duration{r.Build, r.Relink, r.Ready, r.Boot, r.Sample} {
			if d < 0 || d > longestBoot {
				return nil, fmt.Errorf("%s %s: %s is no time that a build or a boot takes", r.Kind, r.Arch, d)
			}
		}
	}
	if len(c.Rows) == 0 {
		return nil, errors.New("it has no rows")
	}
	return &c, nil
}

// Write writes the table's file.
func (c *CostTable) Write(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(c)
}

// check refuses a table of another target.
func (c *CostTable) check(spec results.Spec) error {
	if c != nil && (c.Target != spec.Target || c.Accel != spec.Accel) {
		return refuse(FieldCosts, "", "they are those of target %s%s, and not of %s%s", c.Target, and(c.Accel), spec.Target, and(spec.Accel))
	}
	return nil
}

func and(accel string) string {
	if accel == "" {
		return ""
	}
	return " with " + accel
}
