package series

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"xsmbench/experiment"
	"xsmbench/hv"
	"xsmbench/hv/git"
	"xsmbench/results"
)

// Question is which revisions to measure, and how.
type Question struct {
	// Each is what is asked of each revision. Its Source is the repository, ""
	// for the one around the working directory; its builds have no source and
	// no revision of their own.
	Each experiment.Question
	// Range is A..B: what came after A, up to B, along the first parents. A is
	// measured, too: the first of the others is compared with it.
	Range    string
	Every    int      // only each so manieth, and the last; 0 for all
	Merges   bool     // only merges
	Touching []string // only what changes one of these paths, from the repository's root
	// Dir is the folder, "" for one that is named by the question.
	Dir string
	// Share is the part that one of several machines measures, nil for all.
	Share *experiment.Share
	// Again tries again what did not build or boot.
	Again bool
}

// Plan is which revisions a series measures.
type Plan struct {
	// Chosen are those to measure, the oldest first. The first is the one that
	// the range begins after.
	Chosen []git.Revision
	// All are those of the range, chosen or not, after the first chosen.
	All []git.Revision
}

// Plan lists the revisions.
func (q Question) Plan(ctx context.Context) (Plan, error) {
	from, to, ok := strings.Cut(q.Range, "..")
	switch {
	case !ok || from == "" || to == "" || strings.HasPrefix(to, "."):
		return Plan{}, fmt.Errorf("range %q: name two revisions, as A..B", q.Range)
	case q.Every < 0:
		return Plan{}, fmt.Errorf("every %d: must be above 0", q.Every)
	}
	repo := repository(q.Each)
	first, err := git.Show(ctx, repo, from)
	if err != nil {
		return Plan{}, err
	}
	last, err := git.Commit(ctx, repo, to)
	if err != nil {
		return Plan{}, err
	}
	all, err := git.List(ctx, repo, git.Selection{From: first.Commit, To: last})
	if err != nil {
		return Plan{}, err
	}
	some := all
	if q.Merges || len(q.Touching) > 0 {
		if some, err = git.List(ctx, repo, git.Selection{From: first.Commit, To: last, Merges: q.Merges, Touching: q.Touching}); err != nil {
			return Plan{}, err
		}
	}
	some = every(some, q.Every)
	if len(some) == 0 {
		return Plan{}, fmt.Errorf("range %s: no such revision in it", q.Range)
	}
	return Plan{slices.Concat([]git.Revision{first}, some), all}, nil
}

// every is each nth of a list, and its last.
func every(list []git.Revision, n int) []git.Revision {
	if n <= 1 {
		return list
	}
	var some []git.Revision
	for i, r := range list {
		if (i+1)%n == 0 || i == len(list)-1 {
			some = append(some, r)
		}
	}
	return some
}

// repository is where git is asked.
func repository(q experiment.Question) string {
	if q.Source == "" {
		return "."
	}
	return q.Source
}

// specOf is what each revision is asked, without its revision.
func specOf(q experiment.Question) (hv.Target, results.Spec, error) {
	if err := checkBuilds(q.Builds); err != nil {
		return nil, results.Spec{}, err
	}
	if q.Budget != nil {
		return nil, results.Spec{}, errors.New("a series has a fixed number of rounds")
	}
	return q.Spec()
}

// checkBuilds refuses builds that are of one revision, whatever the series is at.
func checkBuilds(builds []hv.Build) error {
	for _, b := range builds {
		if b.Rev != "" || b.Source != "" {
			return fmt.Errorf("build %s: it names a revision or a directory, and each build is of each revision: leave out what follows the @", b.Name)
		}
	}
	return nil
}

// fingerprint is a hash of all that decides what a revision's figures are, but for
// the revision.
func fingerprint(spec results.Spec) (string, error) {
	spec.Criteria = nil // by which nothing is measured
	spec.Builds = slices.Clone(spec.Builds)
	var files []string
	for i, b := range spec.Builds {
		files = append(append(files, b.Policy), b.Kconfig...)
		b.Source, b.Rev, b.Clean = "", "", false
		spec.Builds[i] = b
	}
	text, err := json.Marshal(spec)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	h.Write(text)
	for _, path := range files {
		if path == "" {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%d\n%s", len(text), text)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// folder is where a series is kept, or a shard of it.
func folder(named, what, question string, share *experiment.Share) string {
	if named != "" {
		return named
	}
	dir := filepath.Join("runs", what+"-"+question[:8])
	if share != nil {
		dir = filepath.Join(dir, fmt.Sprintf("%d-of-%d", share.Index, share.Of))
	}
	return dir
}
