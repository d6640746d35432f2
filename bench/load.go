package bench

import "fmt"

// Load is work that goes on beside benchmarks: a workload of package workloads.
type Load interface {
	// Did says how much it has done since it began. The error is that it has ended, or
	// that it does not answer.
	Did() (Done, error)
	// Stop ends it.
	Stop()
}

// Done is how much was done.
type Done struct {
	Tasks int64 `json:"tasks,omitempty"` // pieces of work, as the work is cut
	Bytes int64 `json:"bytes,omitempty"` // that were moved, if any are
}

// Since is what was done after an earlier look.
func (d Done) Since(earlier Done) Done {
	return Done{Tasks: d.Tasks - earlier.Tasks, Bytes: d.Bytes - earlier.Bytes}
}

// String says how much it is.
func (d Done) String() string {
	text := fmt.Sprintf("%d pieces of work", d.Tasks)
	if d.Tasks == 1 {
		text = "1 piece of work"
	}
	if d.Bytes > 0 {
		text += fmt.Sprintf(" and moved %d bytes", d.Bytes)
	}
	return text
}
