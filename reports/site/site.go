// Package site writes the runs of a history as a folder of static pages: the last
// state of each line of runs, the trend of each benchmark, and a page that compares
// two runs in the browser. No server is needed: the pages work from a folder and
// from anything that serves files.
//
// The same history gives the same bytes. A file is written beside its place and
// renamed into it, and one that has not changed is left alone, so that whoever
// serves the folder meanwhile serves whole files. Data are written before the
// pages that lead to them, and what is no longer needed is removed last.
//
// Names of benchmarks, builds and labels are anybody's. In pages they are text,
// never markup, and no file is named by them alone.
package site

import (
	"errors"
	"fmt"
	"regexp"

	"xsmbench/reports/answer"
	"xsmbench/reports/trend"
	"xsmbench/results/history"
)

// Schema is the version of the data's form.
const Schema = 1

// Options say what a site shows.
type Options struct {
	Title string
	// Answer says what the builds of a run cost; nil if it has nothing to compare.
	Answer func(history.Run, []history.File) (*answer.Answer, error)
	// Rename gives builds and benchmarks of older runs the names that they have now.
	Rename map[string]string
}

// Written says what became of the folder.
type Written struct {
	Index                   string // path of the first page
	Runs                    int
	Files, Changed, Removed int
}

// anID is what files can be named by.
var anID = regexp.MustCompile(`^[0-9a-f]{16}$`)

// ErrEmpty is a history without a run.
var ErrEmpty = errors.New("the history has no run yet: add one first (xsmbench history add DIR)")

// site is what the pages are made from.
type site struct {
	Options
	dir   *folder
	runs  []*run // in the order in which they started
	lines []*line
}

// Write writes the site of a history into a folder. The folder is a new one, or one
// that has a site.
func Write(dir string, s *history.Store, o Options) (w Written, err error) {
	runs, err := s.Runs()
	switch {
	case err != nil:
		return w, err
	case len(runs) == 0:
		return w, fmt.Errorf("write site: %s: %w", s.Path(), ErrEmpty)
	}
	for _, r := range runs {
		if !anID.MatchString(r.ID) {
			return w, fmt.Errorf("write site: %s: %q is not the ID of a run", s.Path(), r.ID)
		}
	}
	f, err := openFolder(dir)
	if err != nil {
		return w, fmt.Errorf("write site: %w", err)
	}
	defer func() { err = errors.Join(err, f.close()) }()
	t := &site{Options: o, dir: f}
	t.runs, t.lines = arrange(runs)
	if err := t.write(s); err != nil {
		return w, fmt.Errorf("write site: %w", err)
	}
	w = Written{Index: f.path(indexPage), Runs: len(t.runs), Files: len(f.has), Changed: f.changed, Removed: f.removed}
	return w, nil
}

func (t *site) write(s *history.Store) error {
	if err := t.read(s); err != nil {
		return err
	}
	if err := t.writeIndexData(); err != nil {
		return err
	}
	for _, l := range t.lines {
		if err := t.answer(s, l); err != nil {
			return err
		}
		if err := t.writeLine(l); err != nil {
			return err
		}
	}
	for _, write := range []func() error{t.writeCompare, t.writeRuns, t.writeIndex} {
		if err := write(); err != nil {
			return err
		}
	}
	return t.dir.sweep()
}

// read goes through the figures of all runs once: a run's are written as data, and
// join its line's trends.
func (t *site) read(s *history.Store) error {
	at := map[string]*run{}
	for _, r := range t.runs {
		at[r.ID] = r
	}
	for _, l := range t.lines {
		l.costs = trend.New(trend.Options{AnyHost: true, Rename: t.Rename})
		l.parts = trend.New(trend.Options{AnyHost: true, Rename: t.Rename, Unit: partUnits})
	}
	err := s.Each(func(h history.Run, series []history.Series) error {
		r := at[h.ID]
		if r == nil {
			return nil // it was added since
		}
		r.line.costs.Add(h, series)
		r.line.parts.Add(h, series)
		return t.writeRunData(r, series)
	})
	if err != nil {
		return err
	}
	for _, l := range t.lines {
		l.analyse()
	}
	return nil
}

// answer says what the builds of a line's last run cost.
func (t *site) answer(s *history.Store, l *line) error {
	if t.Answer == nil {
		return nil
	}
	files, err := s.Files(l.last().Run)
	if err != nil {
		return err
	}
	// One run that cannot be compared is no reason to have no pages.
	l.answered, l.unanswered = t.Answer(l.last().Run, files)
	return nil
}
