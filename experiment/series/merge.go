package series

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"xsmbench/experiment/merge"
	"xsmbench/hv/git"
	"xsmbench/results"
)

// MergeRequest is what to merge.
type MergeRequest struct {
	Dirs    []string // of shards
	Output  string   // directory to make
	Replace bool     // remove the series that is there
}

// Merged is what came of it.
type Merged struct {
	Revisions int // that were asked for
	// Missing are those of which no shard says anything, in order.
	Missing []Missing
	Absent  []string // shards that are not among the directories
}

// Missing is a revision that no shard came to.
type Missing struct {
	git.Revision
	Shard string // whose it is, "" if the directories are of no shards
}

// IsDir reports whether a directory holds a series, or a shard of one.
func IsDir(dir string) bool {
	_, err := os.Lstat(filepath.Join(dir, ledgerFile))
	return err == nil
}

// Merge makes one series of shards: what one machine would have made that measured all
// revisions. So of two that have the same images the first counts as measured, whether
// another machine measured the second or not. A revision that two shards have counts
// once. One that lacks revisions is made, too: the series goes on in it.
//
// One ledger after another is read, and one run after another written.
func Merge(ctx context.Context, q MergeRequest) (*Merged, error) {
	var c collection
	for _, dir := range q.Dirs {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		if err := c.add(dir); err != nil {
			return nil, err
		}
	}
	c.settle()
	if err := c.write(ctx, q); err != nil {
		return nil, err
	}
	return c.result(), nil
}

// collection is what shards have.
type collection struct {
	first  part
	parts  []part
	of     map[string]source // what is taken of each commit
	setups merge.Setups
}

// part is a shard's folder.
type part struct {
	dir string
	book
}

// source is an entry, and the folder that it is from.
type source struct {
	Entry
	dir string
}

// add reads a shard's ledger, and compares it with those before.
func (c *collection) add(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, ledgerFile))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("merge %s: it holds no series, as the others do", dir)
	}
	if err != nil {
		return fmt.Errorf("merge %s: %w", dir, err)
	}
	p := part{dir: dir}
	if p.book, err = parseBook(text); err != nil {
		return fmt.Errorf("merge %s: %w", dir, err)
	}
	if len(c.parts) == 0 {
		c.first, c.of = p, map[string]source{}
	} else if err := c.compare(p); err != nil {
		return err
	}
	c.parts = append(c.parts, p)
	for _, commit := range slices.Sorted(maps.Keys(p.Entries)) {
		if err := c.take(source{p.Entries[commit], dir}); err != nil {
			return err
		}
	}
	return nil
}

// compare refuses shards of other revisions, and what differs between those of other
// questions the runs say.
func (c *collection) compare(p part) error {
	if p.Question != c.first.Question {
		if err := c.compareRuns(p); err != nil {
			return err
		}
		return fmt.Errorf("merge %s: it was measured with other builds, benchmarks or settings than %s", p.dir, c.first.dir)
	}
	if !slices.Equal(p.Revisions, c.first.Revisions) {
		return &merge.DiffersError{Dir: p.dir, First: c.first.dir, What: "the revisions", Is: span(p.Revisions), Was: span(c.first.Revisions),
			Do: "name commits or tags in --revs, which do not move, and run the shards again; what was measured is kept"}
	}
	return nil
}

// span says which revisions there are.
func span(all []git.Revision) string {
	if len(all) == 0 {
		return "none"
	}
	return fmt.Sprintf("%d, from %s to %s", len(all), all[0].Name, all[len(all)-1].Name)
}

// compareRuns compares a shard's runs with those of the others.
func (c *collection) compareRuns(p part) error {
	for _, commit := range slices.Sorted(maps.Keys(p.Entries)) {
		if e := p.Entries[commit]; e.State == Measured && e.Run != "" {
			if err := c.compareRun(filepath.Join(p.dir, e.Run)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *collection) compareRun(dir string) error {
	run, err := results.ReadRun(dir)
	if err != nil {
		return err
	}
	run.Spec = anyRevision(run.Spec)
	return c.setups.Add(dir, run)
}

// anyRevision is a spec without its revision.
func anyRevision(spec results.Spec) results.Spec {
	spec.Criteria = nil
	spec.Builds = slices.Clone(spec.Builds)
	for i := range spec.Builds {
		b := &spec.Builds[i]
		b.Source, b.Rev, b.Clean = "", "", false
	}
	return spec
}

// take takes an entry, unless there is a better one of its commit. Two with figures
// must have the same images.
func (c *collection) take(s source) error {
	if s.State == Measured && s.Run != "" {
		if err := c.compareRun(filepath.Join(s.dir, s.Run)); err != nil {
			return err
		}
	}
	old, ok := c.of[s.Commit]
	switch {
	case !ok, !old.HasFigures() && (s.HasFigures() || s.Lasting):
		c.of[s.Commit] = s
	case old.HasFigures() && s.HasFigures() && !maps.Equal(old.Images, s.Images):
		return imagesDiffer(s, old)
	case old.HasFigures() && old.State == SameImage && s.State == Measured:
		c.of[s.Commit] = s
	}
	return nil
}

func imagesDiffer(s, old source) error {
	for _, build := range slices.Sorted(maps.Keys(s.Images)) {
		if is, was := s.Images[build], old.Images[build]; is != was {
			return &merge.DiffersError{Dir: s.dir, First: old.dir, What: fmt.Sprintf("the image of %s in %s", build, s.Name), Is: short(is), Was: short(was),
				Do: "build with the same compiler on all machines, and measure one of the shards again"}
		}
	}
	return &merge.DiffersError{Dir: s.dir, First: old.dir, What: "the builds of " + s.Name, Is: names(s.Images), Was: names(old.Images), Do: "measure one of the shards again"}
}

func short(hash string) string { return cmp.Or(fmt.Sprintf("%.12s", hash), "none") }

func names(images map[string]string) string {
	return strings.Join(slices.Sorted(maps.Keys(images)), ", ")
}

// settle makes of each entry what it is on one machine: of several with the same
// images the first is measured.
func (c *collection) settle() {
	var measured []source
	for _, commit := range c.order() {
		s := c.of[commit]
		if s.State != Measured {
			continue
		}
		if i := withImages(measured, s.Images); i >= 0 {
			s.State = SameImage
			c.of[commit] = s.as(measured[i])
			continue
		}
		measured = append(measured, s)
	}
	for commit, s := range c.of {
		if i := withImages(measured, s.Images); s.State == SameImage && i >= 0 {
			c.of[commit] = s.as(measured[i])
		}
	}
}

func withImages(all []source, images map[string]string) int {
	return slices.IndexFunc(all, func(s source) bool { return maps.Equal(s.Images, images) })
}

// as has the figures of another entry.
func (s source) as(o source) source {
	s.Of, s.Run, s.ID = o.Of, o.Run, o.ID
	return s
}

// order are the commits that there are: those that were asked for in their order, and
// others, of earlier ranges, after them.
func (c *collection) order() []string {
	var all []string
	for _, r := range c.first.Revisions {
		if _, ok := c.of[r.Commit]; ok {
			all = append(all, r.Commit)
		}
	}
	asked := map[string]bool{}
	for _, commit := range all {
		asked[commit] = true
	}
	for _, commit := range slices.Sorted(maps.Keys(c.of)) {
		if !asked[commit] {
			all = append(all, commit)
		}
	}
	return all
}

// write makes the folder of the series. Its ledger comes last: what is left if this is
// cut short is no series.
func (c *collection) write(ctx context.Context, q MergeRequest) (err error) {
	for _, p := range c.parts {
		if err := merge.CheckOutput(p.dir, q.Output); err != nil {
			return err
		}
	}
	claim, err := results.ClaimDir(q.Output)
	if err != nil {
		return fmt.Errorf("merge into %s: %w", q.Output, err)
	}
	defer func() { err = errors.Join(err, claim.Release()) }()
	if err := noRun(q.Output); err != nil {
		return fmt.Errorf("merge into %s: %w", q.Output, err)
	}
	if IsDir(q.Output) {
		if !q.Replace {
			return fmt.Errorf("merge into %s: it holds a series; replace it with --replace, or name another directory", q.Output)
		}
		if err := remove(q.Output); err != nil {
			return fmt.Errorf("merge into %s: %w", q.Output, err)
		}
	}
	l := &ledger{path: filepath.Join(q.Output, ledgerFile), book: book{Schema: ledgerSchema, Question: c.first.Question, Entries: map[string]Entry{}, Revisions: c.first.Revisions}}
	for _, commit := range c.order() {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		e, err := c.of[commit].copyTo(ctx, q.Output)
		if err != nil {
			return fmt.Errorf("merge %s: %w", c.of[commit].dir, err)
		}
		l.Entries[commit] = e
	}
	return l.write()
}

// noRun refuses a directory that holds a run: it would be both.
func noRun(dir string) error {
	if _, err := results.ReadRun(dir); !errors.Is(err, fs.ErrNotExist) {
		return errors.New("it holds a run, and no series: name another directory")
	}
	return nil
}

// remove removes a series: its ledger first, and then its runs.
func remove(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, ledgerFile))
	if err != nil {
		return err
	}
	b, err := parseBook(text)
	if err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(dir, ledgerFile)); err != nil {
		return err
	}
	for _, e := range b.Entries {
		if e.Run == "" {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Run)); err != nil {
			return err
		}
	}
	return nil
}

// copyTo copies an entry's run, or the log that its reason names. Its run has no ID
// before it is added to a history.
func (s source) copyTo(ctx context.Context, dir string) (Entry, error) {
	e := s.Entry
	e.ID = ""
	if e.State == Measured && e.Run != "" {
		if err := mergeRun(ctx, filepath.Join(s.dir, e.Run), filepath.Join(dir, e.Run)); err != nil {
			return e, err
		}
	}
	path := aLog.FindString(e.Reason)
	kept := filepath.Join(dir, filepath.Base(path))
	if path == "" || copyFile(filepath.Join(s.dir, filepath.Base(path)), kept) != nil {
		return e, nil // the reason says enough
	}
	e.Reason = strings.ReplaceAll(e.Reason, path, kept)
	return e, nil
}

// aLog is the path of a build's log.
var aLog = regexp.MustCompile(`[^\s:()]+\.log\b`)

// mergeRun writes a run directory as a machine writes it that nobody disturbs, whatever
// happened to the one that measured it. It takes the place of what a merge that was cut
// short left.
func mergeRun(ctx context.Context, from, to string) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	_, err := merge.Merge(ctx, merge.Request{Dirs: []string{from}, Output: to})
	return err
}

// result tells what was merged.
func (c *collection) result() *Merged {
	m := &Merged{Revisions: len(c.first.Revisions)}
	of, there := 0, map[int]bool{}
	for _, p := range c.parts {
		if p.Shard == nil {
			continue
		}
		if of != 0 && of != p.Shard.Of {
			of = -1 // they were divided in several ways
			break
		}
		of = p.Shard.Of
		there[p.Shard.Index] = true
	}
	for i := 1; i <= of; i++ {
		if !there[i] {
			m.Absent = append(m.Absent, (&Shard{i, of}).String())
		}
	}
	for i, r := range c.first.Revisions {
		if _, ok := c.of[r.Commit]; ok {
			continue
		}
		missing := Missing{Revision: r}
		if of > 0 {
			missing.Shard = owner(i, of, len(c.first.Revisions)).String()
		}
		m.Missing = append(m.Missing, missing)
	}
	return m
}
