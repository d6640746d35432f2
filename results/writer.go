package results

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"xsmbench/bench"
	"xsmbench/hv"
)

// BootWriter appends the samples of one boot, as they arrive, to a file for
// each domain and kind of domUs. It is used by one goroutine.
type BootWriter struct {
	dir   *Dir
	boot  Boot
	build hv.Build
	files map[sampled]*sampleFile
	total int
	// profiles are what the boot's samples came with.
	profiles map[sampled][]Profile
}

// sampled is where a boot's samples are from: a domain, and the kind of the domUs as
// samples name it.
type sampled struct{ domain, domU string }

// sampleFile is an open results/*.txt with a boot line written.
type sampleFile struct {
	f       *os.File
	samples int
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+]*(-[A-Za-z0-9._+]+)*$`)

// Begin starts a boot. A boot's number may be used once in a run.
func (d *Dir) Begin(boot Boot, build hv.Build) (*BootWriter, error) {
	switch {
	case !plainName.MatchString(build.Name):
		return nil, fmt.Errorf("begin boot %d: name of build %q: use letters, digits, and . _ + - between them", boot.Boot, build.Name)
	case boot.Boot <= d.last:
		return nil, fmt.Errorf("begin boot %d: boot %d was before it", boot.Boot, d.last)
	case boot.Round < 1:
		return nil, fmt.Errorf("begin boot %d: round %d: rounds count from 1", boot.Boot, boot.Round)
	}
	d.last = boot.Boot
	return &BootWriter{dir: d, boot: boot, build: build, files: map[sampled]*sampleFile{}, profiles: map[sampled][]Profile{}}, nil
}

// Add appends a measurement. One without values is recorded as missing, with
// its warnings as the reason.
func (w *BootWriter) Add(m bench.Measurement) error {
	text, err := format(m)
	if err != nil {
		return fmt.Errorf("add sample of boot %d: %w", w.boot.Boot, err)
	}
	f, err := w.file(sampled{m.Domain, m.DomU})
	if err != nil {
		return fmt.Errorf("add sample of boot %d: %w", w.boot.Boot, err)
	}
	if _, err := f.f.WriteString(text); err != nil {
		return fmt.Errorf("add sample of boot %d: %w", w.boot.Boot, err)
	}
	if len(m.Values) > 0 {
		f.samples++
		w.total++
	}
	w.profile(m)
	return nil
}

// profile keeps a sample's profile for the end of the boot.
func (w *BootWriter) profile(m bench.Measurement) {
	if m.Profile != nil && len(m.Values) > 0 {
		at := sampled{m.Domain, m.DomU}
		w.profiles[at] = append(w.profiles[at], Profile{Benchmark: m.Benchmark, Profile: *m.Profile})
	}
}

// End marks the boot as finished and waits until it is on the disk.
func (w *BootWriter) End() error {
	if w.total == 0 {
		return errors.Join(fmt.Errorf("end boot %d: it gave no sample", w.boot.Boot), w.close())
	}
	// Samples first in all files, then the end lines: an end line on the
	// disk vouches for what stands above it.
	for _, f := range w.sorted() {
		if err := f.f.Sync(); err != nil {
			return errors.Join(fmt.Errorf("end boot %d: %w", w.boot.Boot, err), w.close())
		}
	}
	if err := w.writeProfiles(); err != nil {
		return errors.Join(fmt.Errorf("end boot %d: %w", w.boot.Boot, err), w.close())
	}
	for _, f := range w.sorted() {
		_, err := f.f.WriteString(endLine(w.boot.Boot, f.samples, w.total))
		if err == nil {
			err = f.f.Sync()
		}
		if err != nil {
			return errors.Join(fmt.Errorf("end boot %d: %w", w.boot.Boot, err), w.close())
		}
	}
	if err := w.close(); err != nil {
		return fmt.Errorf("end boot %d: %w", w.boot.Boot, err)
	}
	w.dir.done[KeyOf(w.boot.Round, w.build)] = true
	return nil
}

// Fail records why the boot did not finish. Its samples stay, as those of an
// unfinished boot.
func (w *BootWriter) Fail(cause error) error {
	for _, f := range w.sorted() {
		_, err := fmt.Fprintf(f.f, "# failed: boot=%d %s\n", w.boot.Boot, oneLine(cause.Error()))
		if err == nil {
			err = f.f.Sync()
		}
		if err != nil {
			return errors.Join(fmt.Errorf("record failure of boot %d: %w", w.boot.Boot, err), w.close())
		}
	}
	return w.close()
}

// sorted gives the files in the order of their domains, then of the kinds.
func (w *BootWriter) sorted() []*sampleFile {
	places := slices.SortedFunc(maps.Keys(w.files), func(a, b sampled) int {
		return cmp.Or(strings.Compare(a.domain, b.domain), strings.Compare(a.domU, b.domU))
	})
	files := make([]*sampleFile, len(places))
	for i, at := range places {
		files[i] = w.files[at]
	}
	return files
}

func (w *BootWriter) close() error {
	var errs []error
	for _, f := range w.sorted() {
		errs = append(errs, f.f.Close())
	}
	w.files = map[sampled]*sampleFile{}
	return errors.Join(errs...)
}

// file opens the file of a domain and begins the boot there.
func (w *BootWriter) file(at sampled) (*sampleFile, error) {
	if f := w.files[at]; f != nil {
		return f, nil
	}
	if !plainName.MatchString(at.domain) {
		return nil, fmt.Errorf("name of domain %q: use letters, digits, and . _ + - between them", at.domain)
	}
	spec := &w.dir.run.Spec
	if !slices.Contains(spec.SampleDomUs(), at.domU) {
		return nil, fmt.Errorf("domUs of kind %q, which the run does not measure", at.domU)
	}
	path := filepath.Join(w.dir.path, samplesDir, fileName(w.build.Name, w.build.Arch, at.domain, spec.apart(at.domU)))
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return nil, err
	}
	// Once for each process: the header of an interrupted one may be torn.
	var b bytes.Buffer
	if !w.dir.headed[path] {
		b.WriteString(header(*spec, w.build, at))
		w.dir.headed[path] = true
	}
	b.WriteString(w.boot.line())
	if _, err := f.Write(b.Bytes()); err != nil {
		f.Close()
		return nil, err
	}
	w.files[at] = &sampleFile{f: f}
	return w.files[at], nil
}

// line begins the boot's part of a file.
func (b Boot) line() string {
	return fmt.Sprintf("# boot: boot=%d round=%d order=%d layout=%d image=%s seed=%d\n", b.Boot, b.Round, b.Order, b.Layout, b.Image, b.Seed)
}

// endLine ends a boot's part of a file.
func endLine(boot, samples, total int) string {
	return fmt.Sprintf("# end: boot=%d samples=%d total=%d\n", boot, samples, total)
}

// header is the configuration of a file; Go's format has no empty values.
func header(spec Spec, build hv.Build, at sampled) string {
	var b strings.Builder
	for _, kv := range [][2]string{
		{"target", spec.Target}, {"arch", build.Arch}, {"build", build.Name},
		{"domain", at.domain}, {"accel", spec.SampleAccel()}, {"workload", spec.Workload},
		{"domu", at.domU}, {"idle", idle(spec)},
	} {
		if kv[1] != "" {
			fmt.Fprintf(&b, "%s: %s\n", kv[0], oneLine(kv[1]))
		}
	}
	return b.String()
}

func idle(spec Spec) string {
	if spec.Idle == 0 {
		return ""
	}
	return strconv.Itoa(spec.Idle)
}

// windowsPerLine keeps lines below what readers of Go's format accept.
const windowsPerLine = 100

// format gives a measurement's lines.
func format(m bench.Measurement) (string, error) {
	if m.Benchmark == "" || strings.ContainsFunc(m.Benchmark, isSpace) {
		return "", fmt.Errorf("name of benchmark %q: empty or with spaces", m.Benchmark)
	}
	var b strings.Builder
	if len(m.Values) == 0 {
		reason := oneLine(strings.Join(m.Warnings, "; "))
		fmt.Fprintf(&b, "# missing: %s %s\n", m.Benchmark, reason)
		return b.String(), nil
	}
	fmt.Fprintf(&b, "Benchmark%s %d", m.Benchmark, m.Iterations)
	for _, v := range m.Values {
		if v.Unit == "" || strings.ContainsFunc(v.Unit, isSpace) {
			return "", fmt.Errorf("%s: unit %q: empty or with spaces", m.Benchmark, v.Unit)
		}
		if math.IsNaN(v.Value) || math.IsInf(v.Value, 0) {
			return "", fmt.Errorf("%s: %v %s is not a measurement", m.Benchmark, v.Value, v.Unit)
		}
		fmt.Fprintf(&b, " %s %s", number(v.Value), v.Unit)
	}
	b.WriteByte('\n')
	for part := range slices.Chunk(m.Windows, windowsPerLine) {
		b.WriteString("# windows:")
		for _, v := range part {
			b.WriteString(" " + number(v))
		}
		b.WriteByte('\n')
	}
	for _, text := range m.Warnings {
		fmt.Fprintf(&b, "# warning: %s\n", oneLine(text))
	}
	return b.String(), nil
}

// number is the shortest text that reads back as v.
func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func isSpace(r rune) bool { return r <= ' ' || r == 0x7f || r == 0x85 || r == 0xa0 }

// oneLine keeps a text from adding lines to the file.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
