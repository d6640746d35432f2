package results

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"golang.org/x/perf/benchfmt"
)

// file is a results file. It is read twice: a survey finds its boots, from
// which those to use are chosen, and a reading gives the samples of these one
// by one, so that a file of any size takes no more memory than its boots.
type file struct {
	path string
	run  string
	// ours tells that the file has boot lines. One without is in Go's format
	// alone, and each of its lines is a sample.
	ours  bool
	size  int64 // bytes that the survey saw; what a run appends later is not read
	boots []*bootBlock
	// problems are those of the reading; the survey's would be the same.
	problems []Problem
}

// bootBlock is a boot's part of a file.
type bootBlock struct {
	Boot
	line           int
	build, arch    string
	domain         string
	samples        int // that can be read; of the survey, whether there is one
	ended          bool
	claimed, total int // what the end line counts
	chosen         bool
	again          bool // it stands above already
}

// survey finds the boots.
func (f *file) survey(r io.Reader) error {
	p := newParser(f, r, nil)
	err := p.run()
	f.size, f.ours, f.boots = p.read, p.ours, p.boots
	f.run = f.path
	if f.ours {
		f.run = runOf(f.path)
	}
	return err
}

// samples reads what was surveyed and gives the samples of the boots that are
// chosen.
func (f *file) samples(r io.Reader, give Taker) error {
	p := newParser(f, io.LimitReader(r, f.size), give)
	err := p.run()
	f.problems = p.problems
	return err
}

// runOf is the run directory of a file in its results folder.
func runOf(path string) string {
	dir := filepath.Dir(path)
	if filepath.Base(dir) == samplesDir {
		return filepath.Dir(dir)
	}
	return dir
}

// longestLine is what bufio.Scanner, which benchfmt reads with, accepts.
const longestLine = 60 << 10

// parser walks through a file's lines. benchfmt parses those that are in Go's
// format. It gets one line at a time, so that what it parsed and the lines
// that are taken here stay in order.
type parser struct {
	file     *file
	in       *bufio.Reader
	give     Taker // nil in a survey
	ours     bool
	line     int   // number of the line that was read last
	read     int64 // bytes
	rest     []byte
	err      error
	boots    []*bootBlock
	problems []Problem

	// config is a sample with the configuration in force, as far as no line
	// has changed it since.
	config  Sample
	changed bool
	names   map[string]string // of benchmarks, each once

	current *bootBlock
	plain   int // samples of a file without boots
	sample  Sample
	pending bool // sample waits for its windows and warnings
	windows windowText
	parse   func() []float64 // of windows
	// orphans counts samples that stand in no boot, since a damaged line.
	orphans, orphanLine int
}

func newParser(f *file, r io.Reader, give Taker) *parser {
	p := &parser{file: f, in: bufio.NewReaderSize(r, longestLine+2), give: give, ours: f.ours, changed: true, names: map[string]string{}}
	p.parse = p.windows.parse
	return p
}

func (p *parser) surveying() bool { return p.give == nil }

// run parses all lines. Its error is one of reading.
func (p *parser) run() error {
	r := benchfmt.NewReader(p, p.file.path)
	for r.Scan() {
		switch rec := r.Result().(type) {
		case *benchfmt.Result:
			p.result(rec)
		case *benchfmt.SyntaxError:
			p.problem(p.line, "%s", rec.Msg)
		}
	}
	p.flush()
	p.leaveOrphans()
	if p.err != nil && !errors.Is(p.err, io.EOF) {
		return p.err
	}
	if err := r.Err(); err != nil {
		p.problem(p.line, "%v", err)
	}
	return nil
}

// Read gives benchfmt the rest of a line, or of the next line that is for it.
func (p *parser) Read(to []byte) (int, error) {
	for len(p.rest) == 0 {
		if p.err != nil {
			return 0, p.err
		}
		p.next()
	}
	n := copy(to, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// next reads a line, and handles it or leaves it to benchfmt in rest.
func (p *parser) next() {
	line, length, err := p.readLine()
	p.err = err
	torn := err != nil
	if torn && length == 0 {
		return
	}
	p.line++
	switch {
	case length > longestLine:
		p.problem(p.line, "line of %d bytes is too long", length)
	case length == 0, p.surveying() && p.passesOver(line):
	case torn && (p.ours || bytes.HasPrefix(line, bootPrefix)):
		p.ours = true
		p.problem(p.line, "line is cut off: %s", quote(line))
	case !utf8.Valid(line) && (p.ours || bytes.HasPrefix(line, benchmarkPrefix)):
		p.problem(p.line, "line is damaged: %s", quote(line))
	case line[0] == '#':
		p.directive(p.line, line)
	case !p.ours || isGoFormat(line):
		p.leave(line)
	default:
		p.problem(p.line, "line is damaged: %s", quote(line))
	}
}

// leave leaves a line to benchfmt.
func (p *parser) leave(line []byte) {
	p.rest = line
	if p.err == nil {
		p.rest = line[:len(line)+1] // its line feed stands behind it
	}
	if line[0] != benchmarkPrefix[0] {
		p.changed = true // it may be configuration
	}
}

var (
	benchmarkPrefix = []byte("Benchmark")
	bootPrefix      = []byte("# boot:")
	endPrefix       = []byte("# end:")
)

// readLine reads a line and its length, both without the line feed; of a line
// that is too long, only the length counts. An error means that the text ended
// before a line feed.
func (p *parser) readLine() (line []byte, length int, err error) {
	for {
		line, err = p.in.ReadSlice('\n')
		p.read += int64(len(line))
		length += len(line)
		if !errors.Is(err, bufio.ErrBufferFull) {
			break
		}
	}
	if err == nil {
		line, length = line[:len(line)-1], length-1
	}
	return line, length, err
}

// passesOver tells which lines do not matter to a survey: all but those that
// begin and end boots, one sample of each boot, and the configuration.
func (p *parser) passesOver(line []byte) bool {
	switch line[0] {
	case '#':
		return !bytes.HasPrefix(line, bootPrefix) && !bytes.HasPrefix(line, endPrefix)
	case benchmarkPrefix[0]:
		return p.current == nil || p.current.samples > 0
	}
	return false
}

// isGoFormat reports whether benchfmt will take the line, or complain itself.
func isGoFormat(line []byte) bool {
	if bytes.HasPrefix(line, benchmarkPrefix) {
		// A name alone is passed over.
		return bytes.IndexByte(line, ' ') >= 0 || bytes.IndexByte(line, '\t') >= 0
	}
	if bytes.HasPrefix(line, []byte("Unit ")) {
		return true
	}
	key, _, ok := bytes.Cut(line, []byte(":"))
	return ok && len(key) > 0 && key[0] >= 'a' && key[0] <= 'z' && !bytes.ContainsAny(key, " \t")
}

func (p *parser) leaveOrphans() {
	if p.orphans > 0 {
		p.problem(p.orphanLine, "%d samples from here belong to no boot and are not used", p.orphans)
		p.orphans = 0
	}
}

func (p *parser) problem(line int, format string, args ...any) {
	if !p.surveying() {
		p.problems = append(p.problems, Problem{File: p.file.path, Line: line, Text: fmt.Sprintf(format, args...)})
	}
}

func (p *parser) note(line int, format string, args ...any) {
	if !p.surveying() {
		p.problem(line, format, args...)
		p.problems[len(p.problems)-1].Note = true
	}
}

// buildOf is the build that a file without boots stands for.
func buildOf(path string) string { return strings.TrimSuffix(filepath.Base(path), ".txt") }
