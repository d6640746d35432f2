package results

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// events is the output of go test -json as the text that the tests printed. It
// writes pkg, goos and the like anew wherever a line is of another package than
// the one before: packages are tested side by side.
type events struct {
	in      *lines
	out     []byte
	line    int     // of the event read last
	from    []int32 // the event's line, for each line of text
	current string  // package of the last line
	texts   map[string]*packageText
	bad     []Problem // without their file
	err     error
}

// packageText is what is known of a package's output.
type packageText struct {
	partial []byte            // a line that has not ended
	config  map[string]string // goos, goarch, cpu
}

var configKeys = []string{"goos", "goarch", "cpu"}

// event is what is used of an event of go test.
type event struct {
	Action, Package, Output string
}

func (e *events) Read(to []byte) (int, error) {
	for len(e.out) == 0 {
		if e.err != nil {
			return 0, e.err
		}
		e.next()
	}
	n := copy(to, e.out)
	e.out = e.out[n:]
	return n, nil
}

// next takes an event.
func (e *events) next() {
	text, err := e.in.next()
	if err != nil {
		e.finish(err)
		return
	}
	e.line++
	if text = bytes.TrimSpace(text); len(text) == 0 {
		return
	}
	var v event
	if err := json.Unmarshal(text, &v); err != nil {
		e.bad = append(e.bad, Problem{Line: e.line, Text: fmt.Sprintf("line is not an event of go test -json: %s", quote(text))})
		return
	}
	if v.Action != "output" && v.Action != "build-output" {
		return
	}
	if e.texts == nil {
		e.texts = map[string]*packageText{}
	}
	p := e.texts[v.Package]
	if p == nil {
		p = &packageText{config: map[string]string{}}
		e.texts[v.Package] = p
	}
	p.partial = append(p.partial, v.Output...)
	for {
		line, after, ended := bytes.Cut(p.partial, []byte("\n"))
		if !ended {
			return
		}
		e.write(v.Package, p, line)
		p.partial = after
	}
}

// write writes a line of a package's.
func (e *events) write(name string, p *packageText, line []byte) {
	for _, key := range configKeys {
		if value, ok := bytes.CutPrefix(line, []byte(key+": ")); ok {
			p.config[key] = string(value)
		}
	}
	if name != e.current {
		e.current = name
		e.emit("pkg: " + name)
		for _, key := range configKeys {
			e.emit(key + ": " + p.config[key])
		}
	}
	e.emit(string(line))
}

func (e *events) emit(line string) {
	e.out = append(e.out, line...)
	e.out = append(e.out, '\n')
	e.from = append(e.from, int32(e.line))
}

// finish ends the text with the lines that did not end.
func (e *events) finish(err error) {
	e.err = err
	for name, p := range e.texts {
		if len(p.partial) > 0 && errors.Is(err, io.EOF) {
			e.bad = append(e.bad, Problem{Line: e.line, Text: fmt.Sprintf("output of %s is cut off: %s", name, quote(p.partial))})
		}
	}
}

// at is the line of the file that a line of the text is from.
func (e *events) at(line int) int {
	if e == nil || line < 1 || line > len(e.from) {
		return line
	}
	return int(e.from[line-1])
}

// longestEvent bounds a line of JSON.
const longestEvent = 1 << 20

// lines reads lines up to a bound.
type lines struct{ s *bufio.Scanner }

func newLines(r io.Reader) *lines {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 64<<10), longestEvent)
	return &lines{s}
}

func (l *lines) next() ([]byte, error) {
	if l.s.Scan() {
		return l.s.Bytes(), nil
	}
	switch err := l.s.Err(); {
	case err == nil:
		return nil, io.EOF
	case errors.Is(err, bufio.ErrTooLong):
		return nil, &contentError{fmt.Errorf("an event of go test is longer than %d bytes", longestEvent)}
	default:
		return nil, err
	}
}
