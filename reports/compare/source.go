package compare

import (
	"path/filepath"

	"xsmbench/results"
)

// Source is a directory that samples are from, and how much of them.
type Source struct {
	Dir                   string
	Files, Samples, Boots int
}

// source is what is known of a file.
type source struct {
	file    string
	samples int
	boots   map[bootKey]bool
	last    bootKey
}

// source counts a sample for its file, which mostly is that of the sample
// before, as its boot is.
func (p *part) source(s *results.Sample) {
	var at *source
	if n := len(p.sources); n > 0 && p.sources[n-1].file == s.File {
		at = p.sources[n-1]
	} else {
		at = &source{file: s.File, boots: map[bootKey]bool{}}
		p.sources = append(p.sources, at)
	}
	at.samples++
	if boot := (bootKey{s.Run, s.Boot.Boot}); s.Round > 0 && boot != at.last {
		at.boots[boot], at.last = true, boot
	}
}

// Sources are the directories that the samples are from, in their order.
func (s *Set) Sources() []Source {
	var all []Source
	index := map[string]int{}
	files, boots := map[string]bool{}, map[string]map[bootKey]bool{}
	for _, p := range s.parts {
		for _, x := range p.sources {
			dir := filepath.Dir(x.file)
			i, ok := index[dir]
			if !ok {
				i = len(all)
				index[dir], boots[dir] = i, map[bootKey]bool{}
				all = append(all, Source{Dir: dir})
			}
			all[i].Samples += x.samples
			if !files[x.file] {
				files[x.file] = true
				all[i].Files++
			}
			for b := range x.boots {
				boots[dir][b] = true
			}
			all[i].Boots = len(boots[dir])
		}
	}
	return all
}
