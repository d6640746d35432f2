package window

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Window is what was executed between two marks.
type Window struct {
	Domain string
	Slot   int
	// Instructions by who executed them.
	User, Kernel, Xen uint64
	// Ranges holds what was executed of Xen's ranges, by ID.
	Ranges map[int]Count
}

// Count is the instructions executed in a range, and how often it was entered.
type Count struct{ Instructions, Entries uint64 }

// ErrCutOff is the cause when a file of windows lacks its end record: QEMU was
// killed, or the disk was full.
var ErrCutOff = errors.New("the file is cut off")

// SyntaxError is a damaged line in a file of windows.
type SyntaxError struct {
	Line int
	Text string
}

// Error names the line.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d: %q is no window", e.Line, e.Text)
}

// Read reads what the plug-in wrote. It returns the windows before a damaged
// line along with the error.
func Read(r io.Reader) ([]Window, error) {
	var windows []Window
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if line == "end" {
			return windows, nil
		}
		w, ok := parse(line)
		if !ok {
			return windows, fmt.Errorf("read windows: %w", &SyntaxError{n, cut(line)})
		}
		windows = append(windows, w)
	}
	if err := lines.Err(); err != nil {
		return windows, fmt.Errorf("read windows: %w", err)
	}
	return windows, fmt.Errorf("read windows: %w", ErrCutOff)
}

// cut shortens a line for a message.
func cut(s string) string {
	if len(s) > 60 {
		return s[:60] + "…"
	}
	return s
}

// parse reads "w DOMAIN SLOT USER KERNEL XEN ID:INSTRUCTIONS:ENTRIES…".
func parse(line string) (Window, bool) {
	f := strings.Fields(line)
	if len(f) < 6 || f[0] != "w" {
		return Window{}, false
	}
	slot, err := strconv.Atoi(f[2])
	if err != nil || slot < 0 {
		return Window{}, false
	}
	w := Window{Domain: f[1], Slot: slot, Ranges: map[int]Count{}}
	for i, p := range []*uint64{&w.User, &w.Kernel, &w.Xen} {
		if *p, err = strconv.ParseUint(f[3+i], 10, 64); err != nil {
			return Window{}, false
		}
	}
	for _, s := range f[6:] {
		id, c, ok := parseCount(s)
		if !ok {
			return Window{}, false
		}
		w.Ranges[id] = c
	}
	return w, true
}

func parseCount(s string) (id int, c Count, ok bool) {
	parts := strings.Split(s, ":")
	if len(parts) != 3 {
		return 0, c, false
	}
	id, err := strconv.Atoi(parts[0])
	if err != nil || id < 0 {
		return 0, c, false
	}
	if c.Instructions, err = strconv.ParseUint(parts[1], 10, 64); err != nil {
		return 0, c, false
	}
	c.Entries, err = strconv.ParseUint(parts[2], 10, 64)
	return id, c, err == nil
}
