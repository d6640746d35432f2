package results

import "fmt"

// place is where a boot's samples stand: what a round repeats after an
// interruption.
type place struct {
	run, build, arch, domain string
	round                    int
}

// choose takes, for each place, the last boot that ended, or the last boot if
// none did, and says what it left out and what is incomplete.
func choose(files []*file) ([]Sample, []Problem) {
	best := map[place]*bootBlock{}
	for _, f := range files {
		for _, b := range f.boots {
			p := place{f.run, b.build, b.arch, b.domain, b.Round}
			old := best[p]
			if len(b.samples) > 0 && (old == nil || better(b, old)) {
				best[p] = b
			}
		}
	}
	var samples []Sample
	var notes []Problem
	for _, f := range files {
		samples = append(samples, f.plain...)
		for _, b := range f.boots {
			switch {
			case len(b.samples) == 0:
				continue
			case best[place{f.run, b.build, b.arch, b.domain, b.Round}] != b:
				notes = append(notes, note(f, b, "boot %d is replaced by a later one of round %d; its %d samples are not used"))
				continue
			case !b.ended:
				notes = append(notes, note(f, b, "boot %d of round %d did not finish; its %d samples are used"))
			}
			samples = append(samples, b.samples...)
		}
	}
	return samples, notes
}

// better prefers boots that ended, then later ones.
func better(a, b *bootBlock) bool {
	if a.ended != b.ended {
		return a.ended
	}
	return a.Boot.Boot > b.Boot.Boot
}

func note(f *file, b *bootBlock, format string) Problem {
	return Problem{File: f.path, Line: b.line, Note: true,
		Text: fmt.Sprintf(format, b.Boot.Boot, b.Round, len(b.samples))}
}
