package results

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"unicode/utf8"

	"golang.org/x/perf/benchfmt"
)

// file is a results file. A reading gives its samples one by one, so that a file
// of any size takes no more memory than its boots.
//
// The first reading takes it that the file names its build, and that every boot
// ended and is used, as it is with nearly all files. Where that proves wrong, a
// second reading knows better.
type file struct {
	path string
	run  string
	// given tells that the file was named, and not the directory that it is
	// in. Its samples are of the build label, if there is one, else of the
	// build that it names, else of name.
	given       bool
	label, name string
	in          io.Reader // read in place of the file
	pipe        bool      // it can be read once
	kept        *os.File  // what a pipe gave
	kind        kind
	events      *events // of a file that is the output of go test -json
	units       Units
	spots       []spot // where it measured
	build       string // of the first sample
	count       int    // of samples that were given
	// ours tells that the file has boot lines. One without is in Go's format
	// alone, and each of its lines is a sample.
	ours bool
	// misread tells that the first reading took lines for those of others
	// before it met a boot line.
	misread  bool
	readings int
	size     int64 // bytes of the first reading; what a run appends later is not read
	boots    []*bootBlock
	unread   []Problem // what the first reading could not see: a second ends before it
	problems []Problem // of the last reading
}

// bootBlock is a boot's part of a file.
type bootBlock struct {
	Boot
	line           int
	build, arch    string
	domain, domU   string
	samples        int // that can be read
	ended          bool
	claimed, total int // what the end line counts
	chosen         bool
	again          bool // it stands above already
}

// samples reads the file and gives its samples: in a second reading, those of
// the boots that are chosen.
func (f *file) samples(r io.Reader, give Taker) error {
	if f.readings > 0 {
		r = io.LimitReader(r, f.size)
	}
	f.count, f.build = 0, ""
	p := newParser(f, r, give)
	err := p.run()
	if f.readings++; f.readings == 1 {
		f.learn(p)
	}
	f.problems = append(p.problems, f.unread...)
	for i := range f.problems {
		f.problems[i].File = shown(f.path)
	}
	return err
}

// learn takes from the first reading what it found.
func (f *file) learn(p *parser) {
	f.size, f.ours, f.boots, f.units, f.unread = p.read, p.ours, p.boots, p.units, p.unread
	f.misread = p.ours && p.others+p.plain > 0
	if f.events != nil {
		f.unread = append(f.unread, f.events.bad...)
	}
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
	give     Taker
	ours     bool
	line     int   // number of the line that was read last
	read     int64 // bytes
	rest     []byte
	err      error
	boots    []*bootBlock
	problems []Problem
	unread   []Problem // where the text ends that can be read

	units   Units
	changed bool              // sample's configuration, by a line since
	words   map[string]string // names of benchmarks and units, each once

	current *bootBlock
	others  int // lines above the first boot that are no configuration
	plain   int // samples of a file without boots
	sample  Sample
	pending bool      // sample waits for its windows and warnings
	values  []written // of the line that is read
	windows windowText
	parse   func() []float64 // of windows
	// orphans counts samples that stand in no boot, since a damaged line.
	orphans, orphanLine int
}

func newParser(f *file, r io.Reader, give Taker) *parser {
	p := &parser{file: f, in: bufio.NewReaderSize(r, longestLine+2), give: give, changed: true, units: Units{}, words: map[string]string{}}
	p.parse = p.windows.parse
	if f.run = f.path; f.ours {
		p.own()
	}
	return p
}

// first tells whether this is the first reading of the file.
func (p *parser) first() bool { return p.file.readings == 0 }

// own tells that the file has boots: it is part of a run.
func (p *parser) own() { p.ours, p.file.run = true, runOf(p.file.path) }

// run parses all lines. Its error is one of reading.
func (p *parser) run() error {
	r := benchfmt.NewReader(p, p.file.path)
	for r.Scan() {
		switch rec := r.Result().(type) {
		case *benchfmt.Result:
			p.result(rec)
		case *benchfmt.UnitMetadata:
			p.units.add(rec)
		case *benchfmt.SyntaxError:
			p.problem(p.line, "%s", rec.Msg)
		}
	}
	p.flush()
	p.leaveOrphans()
	var content *contentError
	switch {
	case errors.As(p.err, &content):
		p.unread = append(p.unread, Problem{Line: p.file.events.at(p.line), Text: content.Error()})
	case p.err != nil && !errors.Is(p.err, io.EOF):
		return p.err
	}
	if err := r.Err(); err != nil && content == nil {
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
	if p.line == 1 && bytes.HasPrefix(line, byteOrderMark) {
		line, length = line[len(byteOrderMark):], length-len(byteOrderMark)
	}
	switch {
	case length > longestLine:
		p.problem(p.line, "line of %d bytes is too long", length)
	case length == 0:
	case !torn && (p.direct(line) || p.directWindows(line)):
	case torn && (p.ours || bytes.HasPrefix(line, bootPrefix)):
		p.own()
		p.problem(p.line, "line is cut off: %s", quote(line))
	case !utf8.Valid(line) && (p.ours || bytes.HasPrefix(line, benchmarkPrefix)):
		p.problem(p.line, "line is damaged: %s", quote(line))
	case !utf8.Valid(line):
		p.others++
		p.leave(line)
	case line[0] == '#':
		p.directive(p.line, line)
	case isGoFormat(line):
		p.leave(line)
	case !p.ours:
		p.others++
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
	byteOrderMark   = []byte("\xef\xbb\xbf")
	benchmarkPrefix = []byte("Benchmark")
	bootPrefix      = []byte("# boot:")
	windowsPrefix   = []byte("# windows: ")
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
	p.problems = append(p.problems, Problem{File: shown(p.file.path), Line: p.file.events.at(line), Text: fmt.Sprintf(format, args...)})
}

func (p *parser) note(line int, format string, args ...any) {
	p.problem(line, format, args...)
	p.problems[len(p.problems)-1].Note = true
}

// notMeasured is a note on a benchmark that gave no sample in a boot.
func (p *parser) notMeasured(line int, benchmark, reason string) {
	p.note(line, "not measured: %s %s", benchmark, reason)
	last := &p.problems[len(p.problems)-1]
	last.Benchmark, last.Reason = benchmark, reason
}
