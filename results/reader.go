package results

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/perf/benchfmt"

	"xsmbench/bench"
)

// Contents is a run directory as it was read.
type Contents struct {
	Path     string
	Run      Run
	Samples  []Sample
	Problems []Problem
}

// Open reads a run directory.
func Open(dir string) (*Contents, error) {
	run, err := ReadRun(dir)
	if err != nil {
		return nil, err
	}
	samples, problems, err := ReadFiles(dir)
	if err != nil {
		return nil, err
	}
	return &Contents{dir, run, samples, problems}, nil
}

// ReadFiles reads the samples of run directories and of files in Go's
// benchmark format, in order. Where a round was booted again after an
// interruption, each build and domain has the samples of its last finished
// boot, or of its last boot if none finished.
func ReadFiles(paths ...string) ([]Sample, []Problem, error) {
	var parsed []*file
	var problems []Problem
	for _, path := range paths {
		files, err := sampleFiles(path)
		if err != nil {
			return nil, nil, fmt.Errorf("read results: %w", err)
		}
		if len(files) == 0 {
			return nil, nil, fmt.Errorf("read results: %s holds no results: no %s", path, filepath.Join(samplesDir, "*.txt"))
		}
		for _, p := range files {
			f, err := parseFile(p)
			if err != nil {
				return nil, nil, fmt.Errorf("read results: %w", err)
			}
			parsed = append(parsed, f)
			problems = append(problems, f.problems...)
		}
	}
	samples, notes := choose(parsed)
	return samples, append(problems, notes...), nil
}

// sampleFiles lists what a path stands for: a file, or those of a run.
func sampleFiles(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	dir := path
	if sub := filepath.Join(path, samplesDir); isDir(sub) {
		dir = sub
	}
	files, err := filepath.Glob(filepath.Join(escape(dir), "*.txt"))
	if err != nil {
		return nil, err
	}
	return files, nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// escape makes a path a pattern that matches only itself.
func escape(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// file is one parsed results file.
type file struct {
	path     string
	run      string
	boots    []*bootBlock
	plain    []Sample // of a file without boot lines
	problems []Problem

	current *bootBlock
	// orphans counts samples that stand in no boot, since a damaged line.
	orphans, orphanLine int
}

// bootBlock is a boot's part of a file.
type bootBlock struct {
	Boot
	line           int
	build, arch    string
	domain         string
	samples        []Sample
	ended          bool
	claimed, total int // what the end line counts
}

func parseFile(path string) (*file, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parse(path, text), nil
}

// longestLine is what bufio.Scanner, which benchfmt reads with, accepts.
const longestLine = 60 << 10

// parse reads a file's text. benchfmt reads the lines that are in Go's
// format; the others are taken here and blanked for it, so that line numbers
// agree.
func parse(path string, text []byte) *file {
	f := &file{path: path, run: runOf(path)}
	ours := hasBoots(text)
	if !ours {
		f.run = path
	}
	lines := bytes.Split(text, []byte("\n"))
	torn := len(lines[len(lines)-1]) > 0
	directives := map[int]string{}
	for i, line := range lines {
		n, last := i+1, i == len(lines)-1
		switch {
		case len(line) == 0:
			continue
		case len(line) > longestLine:
			f.problem(n, "line of %d bytes is too long", len(line))
		case last && torn && ours:
			f.problem(n, "line is cut off: %s", quote(line))
		case !utf8.Valid(line) && (ours || bytes.HasPrefix(line, []byte("Benchmark"))):
			f.problem(n, "line is damaged: %s", quote(line))
		case line[0] == '#':
			directives[n] = string(line)
		case !ours || isGoFormat(line):
			continue
		default:
			f.problem(n, "line is damaged: %s", quote(line))
		}
		lines[i] = nil
	}
	f.read(bytes.Join(lines, []byte("\n")), directives, len(lines), ours)
	return f
}

// runOf is the run directory of a file in its results folder.
func runOf(path string) string {
	dir := filepath.Dir(path)
	if filepath.Base(dir) == samplesDir {
		return filepath.Dir(dir)
	}
	return dir
}

func hasBoots(text []byte) bool {
	return bytes.HasPrefix(text, []byte("# boot:")) || bytes.Contains(text, []byte("\n# boot:"))
}

// isGoFormat reports whether benchfmt will take the line, or complain itself.
func isGoFormat(line []byte) bool {
	if bytes.HasPrefix(line, []byte("Benchmark")) {
		return bytes.ContainsAny(line, " \t") // a name alone is passed over
	}
	if bytes.HasPrefix(line, []byte("Unit ")) {
		return true
	}
	key, _, ok := bytes.Cut(line, []byte(":"))
	return ok && len(key) > 0 && key[0] >= 'a' && key[0] <= 'z' && !bytes.ContainsAny(key, " \t")
}

// read walks through benchfmt's records and the directives in line order.
func (f *file) read(text []byte, directives map[int]string, lines int, ours bool) {
	r := benchfmt.NewReader(bytes.NewReader(text), f.path)
	next := 1
	upTo := func(line int) {
		for ; next < line; next++ {
			if d, ok := directives[next]; ok {
				f.directive(next, d)
			}
		}
	}
	for r.Scan() {
		rec := r.Result()
		_, line := rec.Pos()
		upTo(line)
		switch rec := rec.(type) {
		case *benchfmt.Result:
			f.sample(rec, line, ours)
		case *benchfmt.SyntaxError:
			f.problem(line, "%s", rec.Msg)
		}
	}
	if err := r.Err(); err != nil {
		f.problem(0, "%v", err)
	}
	upTo(lines + 1)
	f.leaveOrphans()
}

// directive handles a line that starts with "#". Lines that are none of ours
// are comments.
func (f *file) directive(line int, text string) {
	word, rest, _ := strings.Cut(strings.TrimPrefix(text, "# "), " ")
	switch word {
	case "boot:":
		f.beginBoot(line, rest)
	case "end:":
		f.endBoot(line, rest)
	case "windows:":
		f.windows(line, rest)
	case "warning:":
		if s := f.lastSample(); s != nil {
			s.Warnings = append(s.Warnings, rest)
		}
	case "missing:":
		name, reason, _ := strings.Cut(rest, " ")
		f.note(line, "not measured: %s %s", name, strings.TrimPrefix(reason, "measure "+name+": "))
	case "failed:":
		f.note(line, "boot failed: %s", rest)
	case "torn:":
		f.note(line, "line was cut off: %s", quote([]byte(rest)))
	}
}

func (f *file) beginBoot(line int, rest string) {
	f.leaveOrphans()
	f.current = nil
	kv, err := fields(rest)
	b := &bootBlock{line: line}
	get := func(key string, to *int) {
		if err == nil {
			*to, err = kv.integer(key)
		}
	}
	get("boot", &b.Boot.Boot)
	get("round", &b.Round)
	get("order", &b.Order)
	get("layout", &b.Layout)
	if err == nil {
		b.Image = kv["image"]
		b.Seed, err = strconv.ParseInt(kv["seed"], 10, 64)
	}
	if err == nil && (b.Boot.Boot < 1 || b.Round < 1) {
		err = fmt.Errorf("boots and rounds count from 1")
	}
	if err != nil {
		f.problem(line, "boot line is damaged: %v", err)
		return
	}
	f.boots = append(f.boots, b)
	f.current = b
}

func (f *file) endBoot(line int, rest string) {
	b := f.current
	f.current = nil
	kv, err := fields(rest)
	var boot, samples, total int
	for _, g := range []struct {
		key string
		to  *int
	}{{"boot", &boot}, {"samples", &samples}, {"total", &total}} {
		if err == nil {
			*g.to, err = kv.integer(g.key)
		}
	}
	switch {
	case err != nil:
		f.problem(line, "end line is damaged: %v", err)
		return
	case b == nil || b.Boot.Boot != boot:
		f.problem(line, "end of boot %d, which did not begin above", boot)
		return
	case len(b.samples) != samples:
		f.problem(line, "boot %d ended with %d samples, %d can be read", boot, samples, len(b.samples))
	}
	b.ended, b.claimed, b.total = true, samples, total
	for i := range b.samples {
		b.samples[i].Ended = true
	}
}

func (f *file) windows(line int, rest string) {
	s := f.lastSample()
	if s == nil {
		return
	}
	for _, word := range strings.Fields(rest) {
		v, err := strconv.ParseFloat(word, 64)
		if err != nil {
			f.problem(line, "window %s is no number", quote([]byte(word)))
			continue
		}
		s.Windows = append(s.Windows, v)
	}
}

// lastSample is the one that a line of windows or a warning belongs to.
func (f *file) lastSample() *Sample {
	if f.current == nil || len(f.current.samples) == 0 {
		return nil
	}
	return &f.current.samples[len(f.current.samples)-1]
}

func (f *file) sample(r *benchfmt.Result, line int, ours bool) {
	s := Sample{
		Target: r.GetConfig("target"), Arch: r.GetConfig("arch"), Build: r.GetConfig("build"),
		Domain: r.GetConfig("domain"), Accel: r.GetConfig("accel"), Workload: r.GetConfig("workload"),
		DomU:      r.GetConfig("domu"),
		Benchmark: r.Name.String(), Iterations: int64(r.Iters), Values: values(r),
		Run: f.run, File: f.path, Line: line,
	}
	if s.Build == "" {
		s.Build = strings.TrimSuffix(filepath.Base(f.path), ".txt")
	}
	if idle := r.GetConfig("idle"); idle != "" {
		n, err := strconv.Atoi(idle)
		if err != nil || n < 0 {
			f.problem(line, "%s: idle: %s is no number of domUs", s.Benchmark, quote([]byte(idle)))
			return
		}
		s.Idle = n
	}
	if !finite(s.Values) {
		f.problem(line, "%s: a value is no finite number", s.Benchmark)
		return
	}
	switch {
	case !ours:
		s.Ended = true
		s.Boot.Boot = len(f.plain) + 1
		f.plain = append(f.plain, s)
	case f.current == nil:
		if f.orphans == 0 {
			f.orphanLine = line
		}
		f.orphans++
	default:
		b := f.current
		b.build, b.arch, b.domain = s.Build, s.Arch, s.Domain
		s.Boot = b.Boot
		b.samples = append(b.samples, s)
	}
}

// values gives the figures in the units in which they were written.
func values(r *benchfmt.Result) []bench.Value {
	vs := make([]bench.Value, len(r.Values))
	for i, v := range r.Values {
		vs[i] = bench.Value{Value: v.Value, Unit: v.Unit}
		if v.OrigUnit != "" {
			vs[i] = bench.Value{Value: v.OrigValue, Unit: v.OrigUnit}
		}
	}
	return vs
}

func finite(vs []bench.Value) bool {
	return !slices.ContainsFunc(vs, func(v bench.Value) bool { return math.IsNaN(v.Value) || math.IsInf(v.Value, 0) })
}

func (f *file) leaveOrphans() {
	if f.orphans > 0 {
		f.problem(f.orphanLine, "%d samples from here belong to no boot and are not used", f.orphans)
		f.orphans = 0
	}
}

func (f *file) problem(line int, format string, args ...any) {
	f.problems = append(f.problems, Problem{File: f.path, Line: line, Text: fmt.Sprintf(format, args...)})
}

func (f *file) note(line int, format string, args ...any) {
	f.problem(line, format, args...)
	f.problems[len(f.problems)-1].Note = true
}

// quote shows the start of a damaged text.
func quote(b []byte) string {
	const most = 60
	if len(b) > most {
		return strconv.Quote(string(b[:most])) + "…"
	}
	return strconv.Quote(string(b))
}

// keyValues are the words key=value of a line.
type keyValues map[string]string

func fields(s string) (keyValues, error) {
	kv := keyValues{}
	for _, word := range strings.Fields(s) {
		k, v, ok := strings.Cut(word, "=")
		if !ok {
			return nil, fmt.Errorf("%s is not key=value", quote([]byte(word)))
		}
		kv[k] = v
	}
	return kv, nil
}

func (kv keyValues) integer(key string) (int, error) {
	v, ok := kv[key]
	if !ok {
		return 0, fmt.Errorf("it has no %s", key)
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		return 0, fmt.Errorf("%s=%s is no whole number", key, quote([]byte(v)))
	}
	return n, nil
}
