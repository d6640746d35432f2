package results

import (
	"fmt"
	"slices"

	"github.com/dustin/go-humanize/english"
)

// place is where a boot's samples stand: what a round repeats after an
// interruption.
type place struct {
	run, build, arch, domain, domU string
	round                          int
}

func (f *file) place(b *bootBlock) place {
	return place{f.run, b.build, b.arch, b.domain, b.domU, b.Round}
}

// choose takes, for each place, the last boot that ended, or the last boot if
// none did. It tells whether any is not taken, or did not end.
func choose(files []*file) bool {
	best := map[place]*bootBlock{}
	for _, f := range files {
		for _, b := range f.boots {
			old := best[f.place(b)]
			// A run gives each boot a number of its own: a copy.
			b.again = old != nil && old.Boot.Boot == b.Boot.Boot && !better(b, old)
			if b.samples > 0 && (old == nil || better(b, old)) {
				best[f.place(b)] = b
			}
		}
	}
	for _, b := range best {
		b.chosen = true
	}
	return slices.ContainsFunc(files, func(f *file) bool {
		return slices.ContainsFunc(f.boots, func(b *bootBlock) bool { return b.samples > 0 && !(b.chosen && b.ended) })
	})
}

// better prefers boots that ended, then later ones.
func better(a, b *bootBlock) bool {
	if a.ended != b.ended {
		return a.ended
	}
	return a.Boot.Boot > b.Boot.Boot
}

// notes say what was left out and what is incomplete.
func notes(files []*file) []Problem {
	var all []Problem
	for _, f := range files {
		for _, b := range f.boots {
			switch {
			case b.samples == 0:
			case b.again:
				p := note(f, b, "boot %d of round %d stands here again; its %s not used")
				p.Note = false
				all = append(all, p)
			case !b.chosen:
				all = append(all, note(f, b, "boot %d is replaced by a later one of round %d; its %s not used"))
			case !b.ended:
				all = append(all, note(f, b, "boot %d of round %d did not finish; its %s used"))
			}
		}
	}
	return all
}

func note(f *file, b *bootBlock, format string) Problem {
	return Problem{File: f.path, Line: b.line, Note: true,
		Text: fmt.Sprintf(format, b.Boot.Boot, b.Round, were(b.samples))}
}

// were is the subject and the verb of what became of samples.
func were(samples int) string {
	verb := "are"
	if samples == 1 {
		verb = "is"
	}
	return english.Plural(samples, "sample", "") + " " + verb
}
