package agent

import (
	"fmt"
	"runtime"
	"strings"
)

// panicked is the error of a benchmark that panicked. Of a mistake in the code
// that it ran, which may be a security module's, it says where that is.
func panicked(benchmark string, reason any) error {
	err := fmt.Errorf("measure %s: panic: %v", benchmark, reason)
	if _, mistake := reason.(runtime.Error); mistake {
		return fmt.Errorf("%w, at %s", err, panicPlace())
	}
	return err
}

// panicPlace is the file and the line that panicked, while its deferred functions
// run.
func panicPlace() string {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs)])
	inside := false // what comes next are the run-time system's functions that panic
	for {
		f, more := frames.Next()
		system := strings.HasPrefix(f.Function, "runtime.")
		switch {
		case f.Function == "runtime.gopanic":
			inside = true
		case inside && !system:
			return fmt.Sprintf("%s:%d", f.File, f.Line)
		}
		if !more {
			return "an unknown place"
		}
	}
}
