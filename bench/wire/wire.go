// Package wire is the stream in which an agent inside a domain reports to the
// host, over a pipe or over a serial line that the domain's console shares.
//
// A record is one line:
//
//	@xb1 SEQ TYPE JSON CRC
//
// "@xb1" is the format and its version, SEQ counts the records of a session
// from 0, TYPE names the record, JSON is its content without line breaks, and
// CRC is the CRC-32 (IEEE) of everything before the space that precedes it, in
// eight hexadecimal digits. A session is a hello, any number of other records
// and an end; what is not ended has failed. Sessions may follow each other.
//
// Text outside records is a console's noise. It may stand before a record on
// the record's line, as when a kernel printed without a line break.
package wire

import (
	"fmt"

	"xsmbench/bench"
)

// Version is the version of the records' contents.
const Version = 1

// Event is what a stream holds: one of the types below.
type Event interface{ typeName() string }

type (
	// Hello opens a session.
	Hello struct {
		Version    int    `json:"version"`
		Domain     string `json:"domain"`
		Build      string `json:"build"`      // image hash or build name, as the target likes
		Plan       string `json:"plan"`       // bench.Plan.Hash
		Benchmarks int    `json:"benchmarks"` // how many the plan names
	}
	// Calibrated tells what timing found out about the clock.
	Calibrated struct {
		bench.Calibration
	}
	// Begin announces a benchmark, the Index-th of Total from 1.
	Begin struct {
		Benchmark string `json:"benchmark"`
		Index     int    `json:"index"`
		Total     int    `json:"total"`
	}
	// Sample is a benchmark's result.
	Sample struct {
		bench.Measurement
	}
	// Skip says why a benchmark has no place in this domain.
	Skip struct {
		Benchmark string `json:"benchmark"`
		Reason    string `json:"reason"`
	}
	// Warning is something to show to the user.
	Warning struct {
		Text string `json:"text"`
	}
	// Failure says that the agent cannot go on.
	Failure struct {
		Text string `json:"text"`
	}
	// End closes a session.
	End struct {
		Samples int `json:"samples"` // how many Sample records the session had
	}
	// Noise is a line, or the start of one, that is no record.
	Noise struct {
		Line int
		Text string
	}
)

func (Hello) typeName() string      { return "hello" }
func (Calibrated) typeName() string { return "calibrated" }
func (Begin) typeName() string      { return "begin" }
func (Sample) typeName() string     { return "sample" }
func (Skip) typeName() string       { return "skip" }
func (Warning) typeName() string    { return "warning" }
func (Failure) typeName() string    { return "failure" }
func (End) typeName() string        { return "end" }
func (Noise) typeName() string      { return "" }

// Errors of a Reader. Line counts the stream's lines from 1.
type (
	// ChecksumError is a record whose checksum does not match.
	ChecksumError struct {
		Line      int
		Want, Got uint32
	}
	// SequenceError is a record that is not the next: records were lost, or
	// one came twice.
	SequenceError struct {
		Line      int
		Want, Got uint64
	}
	// TruncatedError is a stream that ends within a session, or without any.
	TruncatedError struct {
		Line int
		Last string // type of the last record, empty if there was none
	}
	// VersionError is a record of a version that this program does not read.
	VersionError struct {
		Line    int
		Version string
	}
	// SyntaxError is a record that is malformed in another way.
	SyntaxError struct {
		Line int
		Err  error
	}
)

func (e *ChecksumError) Error() string {
	return fmt.Sprintf("read results: line %d: checksum is %08x, not %08x", e.Line, e.Got, e.Want)
}

func (e *SequenceError) Error() string {
	if e.Got < e.Want {
		return fmt.Sprintf("read results: line %d: record %d came again where %d was due", e.Line, e.Got, e.Want)
	}
	return fmt.Sprintf("read results: line %d: records %d to %d are lost", e.Line, e.Want, e.Got-1)
}

func (e *TruncatedError) Error() string {
	if e.Last == "" {
		return fmt.Sprintf("read results: line %d: the stream ends without a hello record", e.Line)
	}
	return fmt.Sprintf("read results: line %d: the stream ends after a %s record, without an end record", e.Line, e.Last)
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("read results: line %d: version %s; this program reads version %d", e.Line, e.Version, Version)
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("read results: line %d: malformed record: %v", e.Line, e.Err)
}

func (e *SyntaxError) Unwrap() error { return e.Err }
