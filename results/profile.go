package results

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/google/pprof/profile"
	"github.com/google/renameio/v2"

	"xsmbench/bench"
)

// Profile is where one sample's instructions were executed. What is read has in
// Executed the functions of all samples of its boot and domain.
type Profile struct {
	Boot
	Target, Arch, Build, Domain string
	DomU                        string // as in Sample
	Benchmark                   string
	bench.Profile
	File string
}

// Frames of a profile's stacks, from the root: the benchmark, the handler, the
// hook and the function within it. In the site of a hook the hook is the leaf,
// and the function, which calls it, stands in a label.
const (
	hookFrame  = "hook "            // and the hook's name
	noHandler  = "(entry and exit)" // the handler's frame on the way in and out
	partLabel  = "part"
	inLabel    = "in" // of a site, the function that it is in
	benchLabel = "benchmark"
	windows    = "windows" // numerical labels
	operations = "ops"
)

// writeProfiles writes a file for each domain that has profiles.
func (w *BootWriter) writeProfiles() error {
	for at, list := range w.profiles {
		p := encodeProfiles(list)
		for _, kv := range [][2]string{
			{"target", w.dir.run.Spec.Target}, {"arch", w.build.Arch}, {"build", w.build.Name}, {"domain", at.domain},
			{"boot", strconv.Itoa(w.boot.Boot)}, {"round", strconv.Itoa(w.boot.Round)}, {"order", strconv.Itoa(w.boot.Order)},
			{"layout", strconv.Itoa(w.boot.Layout)}, {"image", w.boot.Image}, {"seed", strconv.FormatInt(w.boot.Seed, 10)},
		} {
			p.Comments = append(p.Comments, kv[0]+"="+kv[1])
		}
		if at.domU != "" {
			p.Comments = append(p.Comments, "domu="+at.domU)
		}
		for _, name := range executedIn(list) {
			p.Comments = append(p.Comments, executedKey+"="+name)
		}
		var b bytes.Buffer
		if err := p.Write(&b); err != nil {
			return fmt.Errorf("write profile: %w", err)
		}
		dir := filepath.Join(w.dir.path, profileDir)
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return fmt.Errorf("write profile: %w", err)
		}
		name := filepath.Join(dir, profileName(w.boot.Boot, w.build.Name, at.domain, w.dir.run.Spec.apart(at.domU)))
		if err := renameio.WriteFile(name, b.Bytes(), 0o666); err != nil {
			return fmt.Errorf("write profile: %w", err)
		}
	}
	return nil
}

// profileExt ends the names of profiles.
const profileExt = ".pb.gz"

func profileName(boot int, build, domain, beside string) string {
	return join(fmt.Sprintf("%04d-%s", boot, build), domain, beside) + profileExt
}

// executedKey is of a comment for each function that executed in a boot and domain,
// whatever is left of it in the counts.
const executedKey = "executed"

func executedIn(list []Profile) []string {
	all := map[string]bool{}
	for _, p := range list {
		for _, name := range p.Executed {
			all[name] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// EncodeProfiles makes one pprof profile of samples' profiles, with what is
// given as labels of each. Values are of all windows of a sample together, as
// in Profile.
func EncodeProfiles(list []Profile) *profile.Profile { return encodeProfiles(list) }

func encodeProfiles(list []Profile) *profile.Profile {
	e := encoder{p: &profile.Profile{
		SampleType:        []*profile.ValueType{{Type: "calls", Unit: "count"}, {Type: "instructions", Unit: "count"}},
		DefaultSampleType: "instructions",
		PeriodType:        &profile.ValueType{Type: "instructions", Unit: "count"}, Period: 1, // merging wants one
	}, locations: map[string]*profile.Location{}}
	for _, s := range list {
		for _, x := range s.Paths {
			e.add(s, x)
		}
	}
	return e.p
}

type encoder struct {
	p         *profile.Profile
	locations map[string]*profile.Location // by function
}

func (e *encoder) location(name string) *profile.Location {
	if l := e.locations[name]; l != nil {
		return l
	}
	id := uint64(len(e.p.Location) + 1)
	f := &profile.Function{ID: id, Name: name, SystemName: name}
	l := &profile.Location{ID: id, Line: []profile.Line{{Function: f}}}
	e.p.Function = append(e.p.Function, f)
	e.p.Location = append(e.p.Location, l)
	e.locations[name] = l
	return l
}

func (e *encoder) add(s Profile, x bench.Path) {
	handler := x.Handler
	if handler == "" {
		handler = noHandler
	}
	frames := []string{s.Benchmark, handler}
	labels := map[string][]string{benchLabel: {s.Benchmark}}
	for k, v := range map[string]string{"build": s.Build, "domain": s.Domain} {
		if v != "" {
			labels[k] = []string{v}
		}
	}
	if x.Hook != "" {
		frames = append(frames, hookFrame+x.Hook)
	}
	if x.Part != bench.PartNone {
		labels[partLabel] = []string{string(x.Part)}
	}
	if x.Part == bench.PartSite {
		labels[inLabel] = []string{x.Function}
	} else {
		frames = append(frames, x.Function)
	}
	sample := &profile.Sample{
		Value: []int64{x.Calls, x.Instructions}, Label: labels,
		NumLabel: map[string][]int64{windows: {s.Windows}, operations: {s.Ops}},
	}
	for _, f := range slices.Backward(frames) {
		sample.Location = append(sample.Location, e.location(f))
	}
	e.p.Sample = append(e.p.Sample, sample)
}

// Bounds of profiles, in bytes, once they are unpacked: a file of megabytes may
// unpack to gigabytes. Those of a run of all benchmarks on the real Xen have 160 KiB.
// In memory a profile may take some 50 times what it takes in a file.
const (
	mostProfile  = 2 << 20
	mostProfiles = 256 << 20 // of a run
)

// ReadProfiles reads a run's profiles. Files that cannot be read are
// problems; a run without profiles has none.
func ReadProfiles(dir string) ([]Profile, []Problem, error) {
	t, err := openTree(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("read profiles: %w", err)
	}
	defer t.Close()
	names, problems, err := t.list(profileDir, profileExt)
	if err != nil {
		return nil, nil, fmt.Errorf("read profiles: %w", err)
	}
	var all []Profile
	left := int64(mostProfiles)
	for i, name := range names {
		if left <= 0 {
			problems = append(problems, Problem{File: shown(t.place(profileDir)), Text: fmt.Sprintf(
				"its files unpack to more than %d MiB; the last %d of %d are not read", mostProfiles>>20, len(names)-i, len(names))})
			break
		}
		list, size, err := t.readProfile(name)
		left -= size
		if err != nil {
			problems = append(problems, Problem{File: shown(t.place(name)), Text: err.Error()})
			continue
		}
		all = append(all, list...)
	}
	return all, problems, nil
}

// readProfile reads a file, and tells how many bytes it unpacked to at most.
func (t *tree) readProfile(name string) ([]Profile, int64, error) {
	text, err := t.read(name, mostProfile)
	if err != nil {
		return nil, 0, err
	}
	if text, err = unpack(text, mostProfile); err != nil {
		return nil, mostProfile, err // it may have taken as much to find out
	}
	list, err := DecodeProfiles(text)
	for i := range list {
		list[i].File = shown(t.place(name))
	}
	return list, int64(len(text)), err
}

// unpack undoes gzip, if that is what a text begins with.
func unpack(text []byte, most int64) ([]byte, error) {
	if !bytes.HasPrefix(text, []byte{0x1f, 0x8b}) {
		return text, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	return readMost(z, most)
}

// ErrForeign is the cause when a pprof profile is none of a run's.
var ErrForeign = errors.New("not a profile of this program's")

// DecodeProfiles reads what a boot wrote, from a file's content.
func DecodeProfiles(text []byte) ([]Profile, error) {
	text, err := unpack(text, mostProfile)
	if err != nil {
		return nil, err
	}
	p, err := profile.ParseUncompressed(text)
	if err == nil {
		err = p.CheckValid()
	}
	if err != nil {
		return nil, err
	}
	if len(p.SampleType) != 2 || p.SampleType[0].Type != "calls" || p.SampleType[1].Type != "instructions" {
		return nil, ErrForeign
	}
	head, err := readComments(p.Comments)
	if err != nil {
		return nil, err
	}
	var list []Profile
	index := map[string]int{}
	for _, s := range p.Sample {
		name, x, err := decodeSample(s)
		if err != nil {
			return nil, err
		}
		i, ok := index[name]
		if !ok {
			i = len(list)
			index[name] = i
			q := head
			q.Benchmark, q.Windows, q.Ops = name, number0(s, windows), number0(s, operations)
			if q.Windows < 1 || q.Ops < 1 {
				return nil, fmt.Errorf("%s: %d windows of %d operations: %w", name, q.Windows, q.Ops, ErrForeign)
			}
			list = append(list, q)
		}
		list[i].Paths = append(list[i].Paths, x)
	}
	return list, nil
}

func number0(s *profile.Sample, label string) int64 {
	if v := s.NumLabel[label]; len(v) == 1 {
		return v[0]
	}
	return 0
}

func label0(s *profile.Sample, label string) string {
	if v := s.Label[label]; len(v) == 1 {
		return v[0]
	}
	return ""
}

// decodeSample is add's inverse.
func decodeSample(s *profile.Sample) (benchmark string, x bench.Path, err error) {
	var frames []string // from the root
	for _, l := range slices.Backward(s.Location) {
		if len(l.Line) != 1 || l.Line[0].Function == nil {
			return "", x, ErrForeign
		}
		frames = append(frames, l.Line[0].Function.Name)
	}
	x.Part = bench.Part(label0(s, partLabel))
	want := 3
	switch {
	case x.Part == bench.PartBody || x.Part == bench.PartThunk:
		want = 4
	case x.Part != bench.PartSite && x.Part != bench.PartNone && x.Part != bench.PartEntry:
		return "", x, ErrForeign
	}
	if len(frames) != want || len(s.Value) != 2 {
		return "", x, ErrForeign
	}
	if x.Handler = frames[1]; x.Handler == noHandler {
		x.Handler = ""
	}
	x.Function = frames[want-1]
	if x.Part != bench.PartNone && x.Part != bench.PartEntry {
		name, ok := strings.CutPrefix(frames[2], hookFrame)
		if !ok {
			return "", x, ErrForeign
		}
		x.Hook = name
	}
	if x.Part == bench.PartSite {
		x.Function = label0(s, inLabel)
	}
	x.Calls, x.Instructions = s.Value[0], s.Value[1]
	return frames[0], x, nil
}

// readComments reads what all of a file's profiles have in common.
func readComments(comments []string) (Profile, error) {
	var p Profile
	texts := map[string]*string{"target": &p.Target, "arch": &p.Arch, "build": &p.Build, "domain": &p.Domain, "domu": &p.DomU, "image": &p.Image}
	numbers := map[string]*int{"boot": &p.Boot.Boot, "round": &p.Round, "order": &p.Order, "layout": &p.Layout}
	for _, c := range comments {
		k, v, ok := strings.Cut(c, "=")
		if !ok {
			continue
		}
		if t := texts[k]; t != nil {
			*t = v
		}
		if k == executedKey {
			p.Executed = append(p.Executed, v)
		}
		var err error
		if n := numbers[k]; n != nil {
			*n, err = strconv.Atoi(v)
		} else if k == "seed" {
			p.Seed, err = strconv.ParseInt(v, 10, 64)
		}
		if err != nil {
			return p, fmt.Errorf("comment %q: %w", c, ErrForeign)
		}
	}
	if p.Build == "" || p.Domain == "" {
		return p, ErrForeign
	}
	return p, nil
}
