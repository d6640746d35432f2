package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"

	"xsmbench/bench"
)

// prefix starts a record, up to its version.
const prefix = "@xb"

// Writer writes sessions. Every record is one Write of the underlying writer.
// It is not safe for concurrent use.
type Writer struct {
	w       io.Writer
	seq     uint64
	samples int
	buf     []byte
}

// NewWriter returns a Writer on w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Write writes one record. A Hello starts a session anew.
func (w *Writer) Write(e Event) error {
	switch e.(type) {
	case Hello:
		w.seq, w.samples = 0, 0
	case Sample:
		w.samples++
	case Noise:
		return fmt.Errorf("write record: noise is none")
	}
	content, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("write %s record: %w", e.typeName(), err)
	}
	w.buf = appendRecord(w.buf[:0], w.seq, e.typeName(), content)
	if _, err := w.w.Write(w.buf); err != nil {
		return fmt.Errorf("write %s record: %w", e.typeName(), err)
	}
	w.seq++
	return nil
}

func appendRecord(b []byte, seq uint64, kind string, content []byte) []byte {
	b = append(b, prefix...)
	b = strconv.AppendInt(b, Version, 10)
	b = append(b, ' ')
	b = strconv.AppendUint(b, seq, 10)
	b = append(b, ' ')
	b = append(b, kind...)
	b = append(b, ' ')
	b = append(b, bytes.TrimSpace(content)...)
	return fmt.Appendf(b, " %08x\n", crc32.ChecksumIEEE(b))
}

// Hello opens a session; Version is filled in.
func (w *Writer) Hello(h Hello) error {
	h.Version = Version
	return w.Write(h)
}

// End closes the session.
func (w *Writer) End() error { return w.Write(End{Samples: w.samples}) }

// Failure says that the agent cannot go on; no end record follows.
func (w *Writer) Failure(err error) error { return w.Write(Failure{err.Error()}) }

// The methods below make a Writer the sink of package agent.

// Calibrated tells what timing found out about the clock.
func (w *Writer) Calibrated(c bench.Calibration) error { return w.Write(Calibrated{c}) }

// Begin announces a benchmark, the index-th of total from 1.
func (w *Writer) Begin(benchmark string, index, total int) error {
	return w.Write(Begin{benchmark, index, total})
}

// Sample writes a benchmark's result.
func (w *Writer) Sample(m bench.Measurement) error { return w.Write(Sample{m}) }

// Skip says why a benchmark has no place in this domain.
func (w *Writer) Skip(benchmark, reason string) error { return w.Write(Skip{benchmark, reason}) }

// Warning writes something to show to the user.
func (w *Writer) Warning(text string) error { return w.Write(Warning{text}) }
