// Package history keeps runs: what run directories hold, in one file, so that
// the figures of months can be read side by side.
//
// The file is a SQLite database, whose tables are in schema.sql. What a run's
// directory held is in files, with every window and remark: a run directory made
// of them is the one that was added. What trends are made of is taken from the
// files when the run is added, twice: in series and boots, open to anybody's queries
// through the view samples, and packed in sheets, which this package reads, since
// millions of rows take far longer.
//
// It has SQLite's rollback journal, not a write-ahead log: a store that is
// closed is one file, which can be copied, and read where nothing can be
// written. A process that dies leaves the journal beside it, and the next one
// takes back what was not committed. Writers wait for each other, and begin
// with the lock that they need, so that two of them cannot stand in each other's
// way.
//
// Nothing is believed that was not written. The row in seal is a hash of all
// rows of runs and builds, each run has one of its sheets and one of its files,
// and all are checked when they are read; before anything is written, SQLite
// checks the pages.
//
// A run is known by when it started and what it asked for, not by where it
// lies: a copy is recognised, and a run that was resumed replaces what there
// was of it.
package history

import (
	"time"

	"xsmbench/results"
)

// Schema is the version of the tables, and the file's user_version. 1 was a bbolt
// database; 2 had no sheets.
const Schema = 3

// Run is one stored run.
type Run struct {
	ID      string      `json:"id"` // 16 hexadecimal digits
	Label   string      `json:"label,omitempty"`
	Added   time.Time   `json:"added"`
	Host    string      `json:"host"`    // HostKey of Run.Host
	Content string      `json:"content"` // SHA-256 of the files, hex
	Boots   int         `json:"boots"`   // that ended
	Samples int         `json:"samples"`
	Files   []string    `json:"files"`  // names within the run directory
	Images  []string    `json:"images"` // hashes of what its boots measured
	Run     results.Run `json:"run"`    // what its run.json says
}

// Short is the start of the ID, as lists show it.
func (r Run) Short() string { return r.ID[:min(8, len(r.ID))] }

// Series is one figure of a run: a benchmark in one unit, measured in one
// domain of one build, by boot.
type Series struct {
	Target    string `json:"target,omitempty"`
	Arch      string `json:"arch,omitempty"`
	Accel     string `json:"accel,omitempty"`
	Workload  string `json:"workload,omitempty"`
	DomU      string `json:"domu,omitempty"`
	Idle      int    `json:"idle,omitempty"`
	Domain    string `json:"domain"`
	Build     string `json:"build"`
	Benchmark string `json:"benchmark"`
	Unit      string `json:"unit"`

	Boots   []Boot   `json:"boots"`
	Remarks []string `json:"remarks,omitempty"` // the samples' warnings, each once
}

// Boot is one boot's value, in the series' unit.
type Boot struct {
	Boot   int     `json:"boot"`
	Round  int     `json:"round"`
	Layout int     `json:"layout,omitempty"`
	Image  string  `json:"image,omitempty"` // hash
	Value  float64 `json:"value"`
}
