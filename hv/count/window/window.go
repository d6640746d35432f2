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
	// Counts holds what was executed of the hypervisor's code.
	Counts map[Place]Count
	// Strange is how often the hypervisor was entered by a way that the map of
	// its code does not know, and StrangeCells what was executed before the
	// next event that it does, and since the last one, which was the way back
	// to the guest: instructions by cell.
	Strange      uint64
	StrangeCells map[int]uint64
}

// Place is a piece of code and what its execution is charged to.
type Place struct {
	Handler int // index into code.Map.Handlers, -1 for none
	Hook    int // index into code.Map.Hooks: executed in a call of this hook; -1 for none
	Cell    int // index into code.Map.Cells
}

// Count is the instructions executed at a place, and how often it was entered.
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
	return fmt.Sprintf("line %d: %q is not a window", e.Line, e.Text)
}

// Read reads what the plug-in wrote. It returns the windows before a damaged
// line along with the error.
func Read(r io.Reader) ([]Window, error) {
	var windows []Window
	var accounts []Place // their handlers and hooks
	var strange Window   // of the next window
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		ok := false
		switch {
		case line == "end":
			return windows, nil
		case strings.HasPrefix(line, "a "):
			accounts, ok = parseAccount(line, accounts)
		case strings.HasPrefix(line, "u "):
			strange, ok = parseStrange(line)
		default:
			var w Window
			if w, ok = parse(line, accounts); ok {
				w.Strange, w.StrangeCells = strange.Strange, strange.StrangeCells
				windows, strange = append(windows, w), Window{}
			}
		}
		if !ok {
			return windows, fmt.Errorf("read windows: %w", &SyntaxError{n, cut(line)})
		}
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

// parseAccount reads "a ID HANDLER HOOK", whose numbers count from 1 and are 0
// for none. IDs count from 0.
func parseAccount(line string, accounts []Place) ([]Place, bool) {
	f := strings.Fields(line)
	if len(f) != 4 {
		return accounts, false
	}
	var v [3]int
	for i := range v {
		n, err := strconv.ParseUint(f[1+i], 10, 31)
		if err != nil {
			return accounts, false
		}
		v[i] = int(n)
	}
	if v[0] != len(accounts) {
		return accounts, false
	}
	return append(accounts, Place{Handler: v[1] - 1, Hook: v[2] - 1}), true
}

// parseStrange reads "u TIMES CELL:INSTRUCTIONS…".
func parseStrange(line string) (Window, bool) {
	f := strings.Fields(line)
	if len(f) < 2 {
		return Window{}, false
	}
	w := Window{StrangeCells: map[int]uint64{}}
	var err error
	if w.Strange, err = strconv.ParseUint(f[1], 10, 64); err != nil {
		return Window{}, false
	}
	for _, s := range f[2:] {
		cell, n, _ := strings.Cut(s, ":")
		id, err := strconv.ParseUint(cell, 10, 30)
		if err != nil {
			return Window{}, false
		}
		if w.StrangeCells[int(id)], err = strconv.ParseUint(n, 10, 64); err != nil {
			return Window{}, false
		}
	}
	return w, true
}

// parse reads "w DOMAIN SLOT USER KERNEL XEN ACCOUNT:CELL:INSTRUCTIONS:ENTRIES…".
func parse(line string, accounts []Place) (Window, bool) {
	f := strings.Fields(line)
	if len(f) < 6 || f[0] != "w" {
		return Window{}, false
	}
	slot, err := strconv.Atoi(f[2])
	if err != nil || slot < 0 {
		return Window{}, false
	}
	w := Window{Domain: f[1], Slot: slot, Counts: make(map[Place]Count, len(f)-6)}
	for i, p := range []*uint64{&w.User, &w.Kernel, &w.Xen} {
		if *p, err = strconv.ParseUint(f[3+i], 10, 64); err != nil {
			return Window{}, false
		}
	}
	for _, s := range f[6:] {
		place, c, ok := parseCount(s, accounts)
		if !ok {
			return Window{}, false
		}
		w.Counts[place] = c
	}
	return w, true
}

func parseCount(s string, accounts []Place) (p Place, c Count, ok bool) {
	var v [4]uint64
	rest := s
	for i := range v {
		field, after, more := strings.Cut(rest, ":")
		n, err := strconv.ParseUint(field, 10, 64)
		if err != nil || more != (i < len(v)-1) {
			return p, c, false
		}
		v[i], rest = n, after
	}
	const mostCells = 1 << 30
	if v[0] >= uint64(len(accounts)) || v[1] >= mostCells {
		return p, c, false
	}
	p = accounts[v[0]]
	p.Cell = int(v[1])
	return p, Count{v[2], v[3]}, true
}
