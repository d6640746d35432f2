package results

import (
	"fmt"
	"time"

	"xsmbench/hv"
)

// Shard is the part of a run that one of several machines measures. Its plan is
// that of the whole run: Spec says what all shards measure together.
type Shard struct {
	Index int `json:"index"` // from 1
	Of    int `json:"of"`
	// Places are those of its boots in the run's schedule, from 1, ascending.
	// They are written down because a shard that goes on must go on with the
	// same boots, whatever divides plans then.
	Places []int `json:"places"`
	// Told is what the target says of how it sets up the machines of each build;
	// Run.Settings has it joined, as far as this shard's builds go.
	Told []Told `json:"told,omitempty"`
}

// String is the shard as it is asked for: 3/8.
func (s *Shard) String() string { return fmt.Sprintf("%d/%d", s.Index, s.Of) }

// Told is what the target says of a build's machines.
type Told struct {
	Build    string       `json:"build"`
	Arch     string       `json:"arch"`
	Settings []hv.Setting `json:"settings,omitempty"`
}

// Part is a run that was merged into another one: what of it depends on the
// machine and on the time.
type Part struct {
	Shard   string    `json:"shard,omitempty"` // "3/8"; "" for a run that was no shard
	Started time.Time `json:"started"`
	Command []string  `json:"command"`
	Host    Host      `json:"host"`
	// Boots are the numbers that its boots have in the merged run.
	Boots []int `json:"boots"`
}
