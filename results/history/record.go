package history

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"xsmbench/results"
)

// record is a run directory, ready to be stored.
type record struct {
	run    Run
	files  map[string][]byte
	images map[string][]Series // by image hash
}

// readRecord reads a run directory. Damaged lines are an error: what is stored
// is to be whole.
func readRecord(dir string) (*record, error) {
	c, err := results.Open(dir)
	if err != nil {
		return nil, err
	}
	for _, p := range c.Problems {
		if !p.Note {
			return nil, fmt.Errorf("%s: correct or delete the line", p)
		}
	}
	if len(c.Samples) == 0 {
		return nil, fmt.Errorf("%s holds no sample yet", dir)
	}
	r := &record{files: map[string][]byte{}, images: byImage(c.Samples)}
	if err := r.readFiles(dir); err != nil {
		return nil, err
	}
	content := r.content()
	r.run = Run{
		ID: identity(c.Run, content), Host: HostKey(c.Run.Host), Content: content,
		Boots: ended(c.Samples), Samples: len(c.Samples), Files: slices.Sorted(maps.Keys(r.files)), Images: slices.Sorted(maps.Keys(r.images)), Run: c.Run,
	}
	return r, nil
}

// readFiles takes run.json and the samples as they are. Consoles and profiles
// stay where they are: they are large, and no figure comes from them.
func (r *record) readFiles(dir string) error {
	files, err := results.Files(dir)
	maps.Copy(r.files, files)
	return err
}

// content is a hash of the files with their names.
func (r *record) content() string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(r.files)) {
		fmt.Fprintf(h, "%s %d\n", name, len(r.files[name]))
		h.Write(r.files[name])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// identity is what a run keeps when it is copied or resumed. A run that does
// not know when it started is known by its content.
func identity(run results.Run, content string) string {
	var builds []string
	for _, b := range run.Spec.Builds {
		builds = append(builds, b.Name+" "+b.Arch)
	}
	if !run.Started.IsZero() {
		content = ""
	}
	text, _ := json.Marshal([]any{run.Started.UTC(), run.Spec.Target, builds, run.Host.CPU, content})
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// ended counts the boots whose samples are all there.
func ended(samples []results.Sample) int {
	boots := map[int]bool{}
	for _, s := range samples {
		if s.Ended {
			boots[s.Boot.Boot] = true
		}
	}
	return len(boots)
}

// byImage sorts samples into series, apart by the image that gave them.
func byImage(samples []results.Sample) map[string][]Series {
	index := map[string]int{}
	all := map[string][]Series{}
	for _, s := range samples {
		for _, v := range s.Values {
			series := Series{
				Target: s.Target, Arch: s.Arch, Accel: s.Accel, Workload: s.Workload, DomU: s.DomU, Idle: s.Idle,
				Domain: s.Domain, Build: s.Build, Benchmark: s.Benchmark, Unit: v.Unit,
			}
			k := fmt.Sprintf("%q %+v", s.Image, series)
			i, ok := index[k]
			if !ok {
				i = len(all[s.Image])
				index[k] = i
				all[s.Image] = append(all[s.Image], series)
			}
			all[s.Image][i].add(s, v.Value)
		}
	}
	return all
}

func (s *Series) add(sample results.Sample, value float64) {
	if value == 0 {
		value = 0 // SQLite knows no negative zero
	}
	s.Boots = append(s.Boots, Boot{sample.Boot.Boot, sample.Round, sample.Layout, sample.Image, value})
	for _, w := range sample.Warnings {
		if !slices.Contains(s.Remarks, w) {
			s.Remarks = append(s.Remarks, w)
		}
	}
}
