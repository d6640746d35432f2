package site

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"xsmbench/hv"
	"xsmbench/reports/compare"
	"xsmbench/reports/trend"
	"xsmbench/results/history"
)

// runData is a run as the page that compares reads it; docs/site.md says what the
// keys are.
type runData struct {
	Schema     int         `json:"schema"`
	ID         string      `json:"id"`
	Label      string      `json:"label"`
	Started    string      `json:"started"`
	Target     string      `json:"target"`
	Revision   string      `json:"revision"`
	Host       string      `json:"host"`
	CPU        string      `json:"cpu"`
	Kernel     string      `json:"kernel"`
	Tool       string      `json:"tool"`
	Rounds     int         `json:"rounds"`
	Boots      int         `json:"boots"`
	Builds     []buildData `json:"builds"`
	Benchmarks []string    `json:"benchmarks"`
	Figures    []*figures  `json:"figures"`
}

type buildData struct {
	Name     string `json:"name"`
	Arch     string `json:"arch"`
	Revision string `json:"revision"`
	Image    string `json:"image"`
}

// figures are those of one build in one domain and unit.
type figures struct {
	Where  string `json:"where"`
	Domain string `json:"domain"`
	Build  string `json:"build"`
	Unit   string `json:"unit"`
	Cost   bool   `json:"cost"`
	Timed  bool   `json:"timed"`
	Rows   []row  `json:"rows"`
}

type groupKey struct{ where, domain, build, unit string }

// row is a figure: the benchmark's place in the list, the value, how many boots it
// is the mean of, and 1 if it is exact.
type row struct {
	benchmark int
	value     float64
	boots     int
	exact     bool
}

// MarshalJSON writes a row as a short list: a run has many.
func (r row) MarshalJSON() ([]byte, error) {
	b := append([]byte{'['}, strconv.Itoa(r.benchmark)...)
	b = append(append(b, ','), exactly(r.value)...)
	b = append(append(b, ','), strconv.Itoa(r.boots)...)
	if r.exact {
		return append(b, ",1]"...), nil
	}
	return append(b, ",0]"...), nil
}

// exactly is a figure with no more places than mean something: whole numbers are
// whole, all others have seven.
func exactly(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "null"
	}
	if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return strconv.FormatFloat(v, 'g', 7, 64)
}

func dataOf(r *run, series []history.Series) runData {
	h := r.Run
	d := runData{
		Schema: Schema, ID: h.ID, Label: h.Label, Started: moment(h), Target: targetOf(h), Revision: r.revision(), Host: h.Host, CPU: h.Run.Host.CPU,
		Kernel: h.Run.Host.Kernel, Tool: h.Run.Tool, Rounds: h.Run.Spec.Rounds, Boots: h.Boots,
		Builds: buildsOf(h), Benchmarks: []string{}, Figures: []*figures{},
	}
	names, groups := map[string]int{}, map[groupKey]*figures{}
	for _, s := range trend.Figures(h, series) {
		at, ok := names[s.Benchmark]
		if !ok {
			at = len(d.Benchmarks)
			names[s.Benchmark] = at
			d.Benchmarks = append(d.Benchmarks, s.Benchmark)
		}
		k := groupKey{whereOf(s.Environment), s.Domain, s.Build, s.Unit}
		g := groups[k]
		if g == nil {
			g = &figures{Where: k.where, Domain: k.domain, Build: k.build, Unit: k.unit, Cost: compare.IsCost(s.Unit), Timed: !compare.IsTally(s.Unit)}
			groups[k] = g
			d.Figures = append(d.Figures, g)
		}
		p := s.Points[0]
		g.Rows = append(g.Rows, row{at, p.Value, p.Boots, p.Exact})
	}
	return d
}

// whereOf is an environment without its domain.
func whereOf(e compare.Environment) string {
	e.Domain = ""
	return strings.TrimSpace(e.String())
}

func buildsOf(h history.Run) []buildData {
	all := []buildData{}
	for _, b := range h.Run.Spec.Builds {
		d := buildData{Name: b.Name, Arch: b.Arch, Revision: b.Rev}
		if img, ok := imageOf(h, b); ok {
			d.Revision, d.Image = cmp.Or(revisionOf(img), d.Revision), img.Hash
		}
		all = append(all, d)
	}
	return all
}

// imageOf is the first image of a build.
func imageOf(h history.Run, b hv.Build) (hv.Image, bool) {
	for _, img := range h.Run.Images {
		if img.Build.Name == b.Name && img.Build.Arch == b.Arch {
			return img, true
		}
	}
	return hv.Image{}, false
}

func moment(h history.Run) string {
	if h.Run.Started.IsZero() {
		return ""
	}
	return h.Run.Started.UTC().Format("2006-01-02T15:04:05Z")
}

// indexData lists lines and runs.
type indexData struct {
	Schema int        `json:"schema"`
	Lines  []lineData `json:"lines"`
	Runs   []runEntry `json:"runs"` // the newest first
	// Renamed are names that builds and benchmarks had, and have now.
	Renamed []renamedData `json:"renamed"`
}

type renamedData struct {
	Old string `json:"old"`
	New string `json:"new"`
}

type lineData struct {
	Name   string `json:"name"`
	Label  string `json:"label"`
	Target string `json:"target"`
	Trends string `json:"trends"`
	Runs   int    `json:"runs"`
	Last   string `json:"last"`
}

type runEntry struct {
	ID       string `json:"id"`
	Line     int    `json:"line"`
	Label    string `json:"label"`
	Started  string `json:"started"`
	Revision string `json:"revision"`
	Host     string `json:"host"`
	Data     string `json:"data"`
}

func dataName(id string) string { return dataFolder + "/" + id + ".json" }

func (t *site) writeIndexData() error {
	d := indexData{Schema: Schema, Renamed: []renamedData{}}
	for _, old := range slices.Sorted(maps.Keys(t.Rename)) {
		d.Renamed = append(d.Renamed, renamedData{old, t.Rename[old]})
	}
	for _, l := range t.lines {
		d.Lines = append(d.Lines, lineData{l.Name(), l.Label, l.Target, l.page(), len(l.runs), l.last().ID})
	}
	for i := len(t.runs) - 1; i >= 0; i-- {
		r := t.runs[i]
		d.Runs = append(d.Runs, runEntry{r.ID, r.line.place, r.Label, moment(r.Run), r.revision(), r.Host, dataName(r.ID)})
	}
	return t.putData(dataFolder+"/index.json", "index", d)
}

func (t *site) writeRunData(r *run, series []history.Series) error {
	return t.putData(dataName(r.ID), r.ID, dataOf(r, series))
}

// putData writes data twice: as JSON, and as a script that gives the page the same.
// A page that was opened from a folder may load scripts beside it and no other
// files.
func (t *site) putData(name, key string, data any) error {
	text, err := json.Marshal(data)
	if err != nil {
		return err
	}
	if err := t.dir.put(name, append(text, '\n')); err != nil {
		return err
	}
	quoted, err := json.Marshal(key)
	if err != nil {
		return err
	}
	script := bytes.Join([][]byte{[]byte("xsmbench.take("), quoted, []byte(", "), text, []byte(");\n")}, nil)
	return t.dir.put(strings.TrimSuffix(name, ".json")+".js", script)
}
