package series

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/renameio/v2"

	"xsmbench/hv/git"
	"xsmbench/results"
)

// State is what became of a revision.
type State string

// States of an Entry.
const (
	Measured  State = "measured"
	SameImage State = "same image" // as a revision that was measured
	NotBuilt  State = "not built"
	NotBooted State = "not booted"
)

// Entry is what became of a revision.
type Entry struct {
	git.Revision
	State State `json:"state"`
	// Images are the hashes of what its builds are measured by, by the builds'
	// names; nil if one could not be built.
	Images map[string]string `json:"images,omitempty"`
	// Of is the commit whose run has the figures: its own, or that of the same
	// images; "" if there are none.
	Of string `json:"of,omitempty"`
	// Run is the run's directory, within the series'; "" if only the history has
	// the figures. ID is the run's in the history, "" without one.
	Run string `json:"run,omitempty"`
	ID  string `json:"id,omitempty"`
	// Reason is why there are no figures.
	Reason string `json:"reason,omitempty"`
	// Lasting tells that the reason is the revision's own, and not perhaps the
	// machine's.
	Lasting bool `json:"lasting,omitempty"`
}

// HasFigures reports whether the revision's figures are known.
func (e Entry) HasFigures() bool { return e.Of != "" }

const (
	ledgerFile   = "series.json"
	ledgerSchema = 1
)

// ledger is what a series has found out, in its folder.
type ledger struct {
	path  string
	claim *results.Claim // of the folder
	book
}

// book is a ledger's file.
type book struct {
	Schema   int              `json:"schema"`
	Question string           `json:"question"` // a hash
	Entries  map[string]Entry `json:"entries"`  // by commit
	// Shard is the part of the revisions that the folder is of, nil for all.
	Shard *Shard `json:"shard,omitempty"`
	// Revisions are those that were asked for last, of all shards.
	Revisions []git.Revision `json:"revisions,omitempty"`
}

// OtherError is a folder that holds a series of another question.
type OtherError struct{ Dir string }

// Error says what to do.
func (e *OtherError) Error() string {
	return fmt.Sprintf("%s holds runs of other builds, benchmarks or settings: name another directory", e.Dir)
}

// ShardError is a folder that holds another part of a series.
type ShardError struct {
	Dir   string
	Holds *Shard // nil for all
}

// Error says what to do.
func (e *ShardError) Error() string {
	return fmt.Sprintf("%s holds %s: name another directory", e.Dir, e.Holds.holds())
}

// openLedger claims a folder and reads what is there.
func openLedger(dir, question string, shard *Shard) (*ledger, error) {
	claim, err := results.ClaimDir(dir)
	if err != nil {
		return nil, fmt.Errorf("open series: %w", err)
	}
	l := &ledger{path: filepath.Join(dir, ledgerFile), claim: claim, book: book{Schema: ledgerSchema, Question: question, Entries: map[string]Entry{}, Shard: shard}}
	text, err := os.ReadFile(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := noRun(dir); err != nil {
			return nil, errors.Join(fmt.Errorf("open series: %s: %w", dir, err), claim.Release())
		}
		return l, nil
	}
	if err == nil {
		l.book, err = parseBook(text)
	}
	if err == nil && l.Question != question {
		err = &OtherError{dir}
	}
	if err == nil && (l.Shard == nil) != (shard == nil) || l.Shard != nil && shard != nil && *l.Shard != *shard {
		err = &ShardError{dir, l.Shard}
	}
	if err != nil {
		claim.Release()
		return nil, fmt.Errorf("open series: %w", err)
	}
	return l, nil
}

// parseBook reads a ledger's file.
func parseBook(text []byte) (book, error) {
	var b book
	if err := json.Unmarshal(text, &b); err != nil {
		return book{}, fmt.Errorf("%s: %w", ledgerFile, err)
	}
	if b.Schema != ledgerSchema {
		return book{}, fmt.Errorf("%s: schema %d, this program reads %d", ledgerFile, b.Schema, ledgerSchema)
	}
	if b.Entries == nil {
		b.Entries = map[string]Entry{}
	}
	if s := b.Shard; s != nil && (s.Of < 1 || s.Index < 1 || s.Index > s.Of) {
		return book{}, fmt.Errorf("%s: there is no shard %s", ledgerFile, s)
	}
	for commit, e := range b.Entries {
		if e.Commit != commit || e.Run != "" && (!filepath.IsLocal(e.Run) || filepath.Clean(e.Run) == ".") {
			return book{}, fmt.Errorf("%s: the entry of %s is damaged", ledgerFile, commit)
		}
	}
	return b, nil
}

// enter writes down what became of a revision.
func (l *ledger) enter(e Entry) error {
	l.Entries[e.Commit] = e
	return l.write()
}

// ask writes down which revisions are asked for.
func (l *ledger) ask(revisions []git.Revision) error {
	if slices.Equal(l.Revisions, revisions) {
		return nil
	}
	l.Revisions = revisions
	return l.write()
}

func (l *ledger) write() error {
	text, err := json.MarshalIndent(l.book, "", "  ")
	if err == nil {
		err = renameio.WriteFile(l.path, append(text, '\n'), 0o666)
	}
	if err != nil {
		return fmt.Errorf("write series: %w", err)
	}
	return nil
}

// withImages finds a revision that was measured and has the same images.
func (l *ledger) withImages(images map[string]string) (Entry, bool) {
	for _, e := range l.Entries {
		if e.State == Measured && maps.Equal(e.Images, images) {
			return e, true
		}
	}
	return Entry{}, false
}

// close frees the folder.
func (l *ledger) close() error { return l.claim.Release() }
