// Package history keeps runs: what run directories hold, in one file, so that
// the figures of months can be read side by side.
//
// The file is a bbolt database. bbolt is pure Go and small, commits a
// transaction as a whole or not at all (copy on write, two checksummed meta
// pages, so a crash leaves what was there before), and locks its file, for one
// writer or many readers. Everything asked of a store is "the runs in order" or
// "what was measured on this host of this image", which are scans of keys: SQL
// would add a megabyte of program and answer no question better.
//
//	meta     schema            the version of this layout
//	runs     ID                gzip JSON of Run
//	files    ID/NAME           gzip of the run directory's own file, byte for byte
//	samples  HOST 0 IMAGE 0 ID gzip JSON of []Series: what the run's boots of that image gave
//
// The files are the record, with every window and remark; a run directory made
// of them is the one that was added. Samples are what trends are made of, taken
// from the files when the run is added. Every value ends in gzip's checksum, so
// a damaged one is known as such.
//
// A run is known by when it started and what it asked for, not by where it
// lies: a copy is recognised, and a run that was resumed replaces what there
// was of it.
package history

import (
	"time"

	"xsmbench/results"
)

// Schema is the version of the layout above.
const Schema = 1

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
