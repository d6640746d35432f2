package wire

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"

	"xsmbench/bench"
)

// maxLine bounds a line's length; a sample of a thousand windows is 20 kB.
const maxLine = 1 << 20

// Reader reads sessions.
type Reader struct {
	lines   *bufio.Scanner
	line    int
	seq     uint64
	open    bool   // between hello and end
	last    string // type of the last record
	samples int
	pending []byte // a record that stands after noise on its line
	err     error
}

// NewReader returns a Reader of r.
func NewReader(r io.Reader) *Reader {
	s := bufio.NewScanner(r)
	s.Buffer(nil, maxLine)
	return &Reader{lines: s}
}

// Next returns the next record or piece of noise. At the end of the stream it
// returns io.EOF, or a *TruncatedError unless the last record was an end. An
// error repeats: there is no reading on after a damaged record.
func (r *Reader) Next() (Event, error) {
	if r.err != nil {
		return nil, r.err
	}
	e, err := r.next()
	r.err = err
	return e, err
}

func (r *Reader) next() (Event, error) {
	line := r.pending
	r.pending = nil
	if line == nil {
		if !r.lines.Scan() {
			return nil, r.end()
		}
		r.line++
		line = bytes.TrimRight(r.lines.Bytes(), "\r")
	}
	switch at := bytes.Index(line, []byte(prefix)); {
	case at < 0 || !isRecord(line[at:]):
		return Noise{r.line, string(line)}, nil
	case at > 0:
		r.pending = line[at:]
		return Noise{r.line, string(line[:at])}, nil
	}
	return r.record(line)
}

// isRecord tells a record from text that contains the prefix by chance: a
// version number and a space must follow.
func isRecord(b []byte) bool {
	b = b[len(prefix):]
	digits := 0
	for digits < len(b) && b[digits] >= '0' && b[digits] <= '9' {
		digits++
	}
	return digits > 0 && digits < len(b) && b[digits] == ' '
}

// end says how the stream ended.
func (r *Reader) end() error {
	if err := r.lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return &SyntaxError{r.line + 1, fmt.Errorf("longer than %d bytes", maxLine)}
	} else if err != nil {
		return fmt.Errorf("read results: line %d: %w", r.line+1, err)
	}
	if r.open || r.last == "" {
		return &TruncatedError{r.line, r.last}
	}
	return io.EOF
}

// record parses a line that starts with the prefix.
func (r *Reader) record(line []byte) (Event, error) {
	version, rest, _ := bytes.Cut(line[len(prefix):], []byte(" "))
	if string(version) != strconv.Itoa(Version) {
		return nil, &VersionError{r.line, string(version)}
	}
	cut := bytes.LastIndexByte(line, ' ')
	want, err := strconv.ParseUint(string(line[cut+1:]), 16, 32)
	if err != nil || len(line)-cut-1 != 8 {
		return nil, &SyntaxError{r.line, fmt.Errorf("no checksum at its end")}
	}
	if got := crc32.ChecksumIEEE(line[:cut]); got != uint32(want) {
		return nil, &ChecksumError{r.line, uint32(want), got}
	}
	seq, rest, _ := bytes.Cut(rest, []byte(" "))
	number, err := strconv.ParseUint(string(seq), 10, 64)
	if err != nil {
		return nil, &SyntaxError{r.line, fmt.Errorf("sequence number: %w", err)}
	}
	kind, rest, _ := bytes.Cut(rest, []byte(" "))
	content := rest[:max(0, len(rest)-len(" 01234567"))]
	e, err := decode(string(kind), content)
	if err != nil {
		return nil, &SyntaxError{r.line, err}
	}
	return r.accept(e, number)
}

// accept checks a record's place in the session.
func (r *Reader) accept(e Event, seq uint64) (Event, error) {
	if seq != r.seq {
		return nil, &SequenceError{r.line, r.seq, seq}
	}
	switch e := e.(type) {
	case Hello:
		if e.Version != Version {
			return nil, &VersionError{r.line, strconv.Itoa(e.Version)}
		}
		if r.open {
			return nil, &SyntaxError{r.line, fmt.Errorf("a hello record within a session")}
		}
		r.open, r.samples = true, 0
	case Sample:
		r.samples++
	case End:
		if e.Samples != r.samples {
			return nil, &SyntaxError{r.line, fmt.Errorf("the end record counts %d samples, %d came", e.Samples, r.samples)}
		}
	}
	if !r.open {
		return nil, &SyntaxError{r.line, fmt.Errorf("a %s record before a hello record", e.typeName())}
	}
	r.seq++
	r.last = e.typeName()
	if _, ok := e.(End); ok {
		r.open, r.seq = false, 0
	}
	return e, nil
}

// decode makes the record of a kind from its JSON. Unknown fields are
// tolerated: a newer agent of the same version may send more.
func decode(kind string, content []byte) (Event, error) {
	switch kind {
	case "hello":
		return decodeAs[Hello](content)
	case "calibrated":
		return decodeAs[Calibrated](content)
	case "begin":
		return decodeAs[Begin](content)
	case "sample":
		return decodeAs[Sample](content)
	case "skip":
		return decodeAs[Skip](content)
	case "warning":
		return decodeAs[Warning](content)
	case "failure":
		return decodeAs[Failure](content)
	case "end":
		return decodeAs[End](content)
	}
	return nil, fmt.Errorf("unknown type %q", kind)
}

func decodeAs[T Event](content []byte) (Event, error) {
	var e T
	if err := json.Unmarshal(content, &e); err != nil {
		return nil, fmt.Errorf("%s: %w", e.typeName(), err)
	}
	return e, nil
}

// Handler receives what a stream holds. Nil functions are skipped.
type Handler struct {
	Hello   func(Hello) error
	Begin   func(Begin)
	Sample  func(bench.Measurement) error
	Skip    func(Skip)
	Warning func(text string)
	Noise   func(text string) // console output
}

// FailureError is what an agent reported before it gave up.
type FailureError struct{ Text string }

func (e *FailureError) Error() string { return "agent failed: " + e.Text }

// Receive reads whole sessions, as many as are given, and passes on what they
// hold. It fails with the Reader's errors, with a *FailureError if the agent
// reported one, or with the handler's error. After the last session it returns
// without waiting for the stream's end.
func Receive(r io.Reader, sessions int, h Handler) error {
	reader := NewReader(r)
	for sessions > 0 {
		e, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return &TruncatedError{reader.line, reader.last}
		}
		if err != nil {
			return err
		}
		if err := h.handle(e); err != nil {
			return err
		}
		if _, ok := e.(End); ok {
			sessions--
		}
	}
	return nil
}

func (h Handler) handle(e Event) error {
	switch e := e.(type) {
	case Hello:
		return call(h.Hello, e)
	case Sample:
		return call(h.Sample, e.Measurement)
	case Failure:
		return &FailureError{e.Text}
	case Begin:
		tell(h.Begin, e)
	case Skip:
		tell(h.Skip, e)
	case Warning:
		tell(h.Warning, e.Text)
	case Noise:
		tell(h.Noise, e.Text)
	}
	return nil
}

func call[T any](f func(T) error, v T) error {
	if f == nil {
		return nil
	}
	return f(v)
}

func tell[T any](f func(T), v T) {
	if f != nil {
		f(v)
	}
}
