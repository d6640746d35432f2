package series

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/renameio/v2"

	"xsmbench/experiment"
	"xsmbench/hv"
	"xsmbench/hv/git"
	"xsmbench/results"
	"xsmbench/results/history"
)

// Store is the history that runs are kept in.
type Store interface {
	Runs() ([]history.Run, error)
	Add(dir, label string) (history.Added, error)
}

// measurer measures revisions, each once.
type measurer struct {
	each     experiment.Question
	question string // fingerprint
	target   hv.Target
	boots    int // of a run
	dir      string
	ledger   *ledger
	store    Store         // nil for none
	runs     []history.Run // the store's, and those added; nil before they are read
	again    bool
	watch    experiment.Attendant
}

// newMeasurer claims the folder of a question.
func newMeasurer(q experiment.Question, dir, what string, share *experiment.Share, store Store, watch experiment.Attendant) (*measurer, error) {
	q.Source = repository(q)
	t, spec, err := specOf(q)
	if err != nil {
		return nil, err
	}
	question, err := fingerprint(spec)
	if err != nil {
		return nil, err
	}
	shard, err := shardOf(share, spec)
	if err != nil {
		return nil, err
	}
	m := &measurer{each: q, question: question, target: t, boots: len(experiment.Schedule(spec)), dir: folder(dir, what, question, share), store: store, watch: watch}
	if m.ledger, err = openLedger(m.dir, question, shard); err != nil {
		return nil, err
	}
	return m, nil
}

func (m *measurer) close() error { return m.ledger.close() }

// measure finds out a revision's figures, or why it has none. An error is the
// series', and ends it.
func (m *measurer) measure(ctx context.Context, r git.Revision) (Entry, error) {
	if e, ok := m.ledger.Entries[r.Commit]; ok && e.Lasting && !e.HasFigures() && !m.again {
		return e, nil
	}
	e, found, err := m.kept(r)
	if err == nil && !found {
		e, found, err = m.remembered(r)
	}
	if err == nil && !found {
		e, err = m.build(ctx, r)
		if f, ok := m.target.(hv.Forgetter); ok {
			f.Forget()
		}
	}
	if err != nil {
		return Entry{}, err
	}
	return e, m.ledger.enter(e)
}

// kept finds a revision's figures in the folder. What the history does not have, as
// after a merge of shards, is added to it.
func (m *measurer) kept(r git.Revision) (Entry, bool, error) {
	e, ok := m.ledger.Entries[r.Commit]
	if !ok || !e.HasFigures() {
		return e, false, nil
	}
	if m.store == nil {
		return e, true, nil
	}
	runs, err := m.history()
	if err != nil || slices.ContainsFunc(runs, func(r history.Run) bool { return r.ID == e.ID }) {
		return e, true, err
	}
	dir := filepath.Join(m.dir, e.Run)
	if _, err := results.ReadRun(dir); e.Run == "" || errors.Is(err, fs.ErrNotExist) {
		// Both are gone, for all that have the same images.
		delete(m.ledger.Entries, e.Of)
		delete(m.ledger.Entries, e.Commit)
		return e, false, nil
	}
	name := e.Name
	if of, ok := m.ledger.Entries[e.Of]; ok {
		name = of.Name
	}
	e.ID, err = m.remember(dir, name)
	return e, err == nil, err
}

// history are the runs of the history. Those of others are read once.
func (m *measurer) history() (runs []history.Run, err error) {
	if m.runs == nil {
		m.runs, err = m.store.Runs()
	}
	return m.runs, err
}

// remember adds a run to the history.
func (m *measurer) remember(dir, label string) (id string, err error) {
	added, err := m.store.Add(dir, label)
	if err != nil {
		return "", err
	}
	m.runs = append(m.runs, added.Run)
	return added.ID, nil
}

// remembered finds a revision's run in the history. What files decide, as a policy
// does, is not told by names.
func (m *measurer) remembered(r git.Revision) (Entry, bool, error) {
	loads := m.each.Policy != "" || slices.ContainsFunc(m.each.Builds, func(b hv.Build) bool { return b.Policy != "" })
	if m.store == nil || loads || len(m.each.Kconfig) > 0 {
		return Entry{}, false, nil
	}
	runs, err := m.history()
	if err != nil {
		return Entry{}, false, err
	}
	for _, run := range slices.Backward(runs) {
		of := func(img hv.Image) bool { return img.Build.Rev == r.Commit }
		if m.answers(run) && !slices.ContainsFunc(run.Run.Images, func(img hv.Image) bool { return !of(img) }) {
			return Entry{Revision: r, State: Measured, Images: hashes(run.Run.Images), Of: r.Commit, ID: run.ID}, true, nil
		}
	}
	return Entry{}, false, nil
}

// answers reports whether a run is one of the question, and whole.
func (m *measurer) answers(run history.Run) bool {
	print, err := fingerprint(run.Run.Spec)
	return err == nil && print == m.question && run.Boots == m.boots && len(run.Run.Images) > 0
}

// hashes are those of images, by build and layout.
func hashes(images []hv.Image) map[string]string {
	all := map[string]string{}
	for _, img := range images {
		name := img.Build.Name
		if img.Build.Layout != 0 {
			name = fmt.Sprintf("%s layout %d", name, img.Build.Layout)
		}
		all[name] = img.Hash
	}
	return all
}

// build builds a revision, and measures it if its images are new.
func (m *measurer) build(ctx context.Context, r git.Revision) (Entry, error) {
	s, err := m.session(r, false)
	if err != nil {
		return Entry{}, err
	}
	defer func() { s.Close() }()
	e := Entry{Revision: r}
	images, err := s.Make(ctx, m.watch.Building)
	if ctx.Err() != nil {
		return Entry{}, context.Cause(ctx)
	}
	if err != nil {
		e.State, e.Reason, e.Lasting = NotBuilt, m.whyNotBuilt(r, err), hv.OfSource(err)
		return e, nil
	}
	e.Images = hashes(images.List(s.Spec()))
	if same, ok := m.ledger.withImages(e.Images); ok {
		e.State, e.Of, e.Run, e.ID = SameImage, same.Of, same.Run, same.ID
		return e, nil
	}
	e, err = m.run(ctx, s, e)
	var changed *experiment.ChangedError
	if !errors.As(err, &changed) {
		return e, err
	}
	s.Close() // an old run of other images
	if s, err = m.session(r, true); err != nil {
		return Entry{}, err
	}
	return m.run(ctx, s, e)
}

// session is the run of a revision: one that was begun before goes on.
func (m *measurer) session(r git.Revision, replace bool) (*experiment.Session, error) {
	q := m.each
	q.Rev, q.Output, q.Replace = r.Commit, m.place(r), replace
	s, err := experiment.Begin(q)
	var holds *experiment.HoldsRunError
	if !errors.As(err, &holds) {
		return s, err
	}
	if s, err = experiment.Resume(experiment.Continuation{Path: q.Output, Timeout: q.Timeout, Beside: q.Beside}); err != nil {
		return nil, err
	}
	if print, err := fingerprint(s.Spec()); err != nil || print != m.question {
		return nil, errors.Join(err, s.Close(), &OtherError{q.Output})
	}
	return s, nil
}

// unplain is what has no place in the name of a folder.
var unplain = regexp.MustCompile(`[^A-Za-z0-9._+]+`)

// place is the directory of a revision's run. A tag may move, so that a name has
// the commit in it.
func (m *measurer) place(r git.Revision) string {
	name := strings.Trim(unplain.ReplaceAllString(r.Name, "-"), "-.")
	if short := name[strings.LastIndexAny(name, "-")+1:]; !strings.HasPrefix("g"+r.Commit, short) && !strings.HasPrefix(r.Commit, short) {
		name += "-g" + r.Commit[:12]
	}
	return filepath.Join(m.dir, name)
}

// run measures, and adds the run to the history.
func (m *measurer) run(ctx context.Context, s *experiment.Session, e Entry) (Entry, error) {
	listener := &listener{Attendant: m.watch}
	out, err := s.Run(ctx, listener, nil)
	switch {
	case ctx.Err() != nil:
		return Entry{}, context.Cause(ctx)
	case err != nil:
		return e, err
	case !out.Complete():
		e.State = NotBooted
		e.Reason, e.Lasting = listener.reason(out)
		return e, nil
	}
	e.State, e.Of, e.Run = Measured, e.Commit, filepath.Base(s.Path())
	if m.store != nil {
		if e.ID, err = m.remember(s.Path(), e.Name); err != nil {
			return Entry{}, err
		}
	}
	return e, nil
}

// listener passes on what a session does, and keeps the first boot that failed.
type listener struct {
	experiment.Attendant
	build string
	err   error
}

// Failed is told of a boot that failed.
func (l *listener) Failed(s experiment.Slot, err error, p experiment.Progress) {
	if l.err == nil {
		l.build, l.err = s.Build.Name, err
	}
	l.Attendant.Failed(s, err, p)
}

// ofImage are failures that come again. A busy machine has time-outs, and silence.
var ofImage = map[hv.BootErrorKind]bool{hv.BootFailed: true, hv.GuestFailed: true}

// reason is why a run is not whole.
func (l *listener) reason(out experiment.Outcome) (text string, lasting bool) {
	if l.err == nil {
		return fmt.Sprintf("%d of %d boots are missing", out.Boots-out.Done, out.Boots), false
	}
	var boot *hv.BootError
	if errors.As(l.err, &boot) {
		return l.build + ": " + string(boot.Kind) + ": " + firstLine(boot.Err.Error()), ofImage[boot.Kind]
	}
	return l.build + ": " + firstLine(l.err.Error()), false
}

// whyNotBuilt is a build's complaint. The log that it names is copied into the
// series, since the next revision's build may overwrite it.
func (m *measurer) whyNotBuilt(r git.Revision, err error) string {
	text := strings.TrimPrefix(firstLine(err.Error()), "build ")
	log := hv.LogOf(err)
	if log == "" {
		return text
	}
	kept := m.place(r) + ".log"
	if copyFile(log, kept) != nil {
		return text
	}
	return strings.ReplaceAll(text, log, kept)
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return renameio.WriteFile(to, text, 0o666)
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}
