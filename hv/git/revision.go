package git

import (
	"context"
	"fmt"
	"strings"
)

// Revision is a commit, with what people know it by.
type Revision struct {
	Commit  string `json:"commit"`  // full name
	Name    string `json:"name"`    // as "git describe --always --tags" says
	Subject string `json:"subject"` // first line of its message
	Author  string `json:"author"`
	Date    string `json:"date"` // of the commit, as 2026-01-31
}

// Describe names a commit as "git describe --always --tags" does: by the last
// tag before it, or by the start of its own name if there is none.
func Describe(ctx context.Context, dir, commit string) (string, error) {
	return Output(ctx, dir, "describe", "--always", "--tags", commit)
}

// Show finds a revision.
func Show(ctx context.Context, dir, rev string) (Revision, error) {
	commit, err := Commit(ctx, dir, rev)
	if err != nil {
		return Revision{}, err
	}
	list, err := readLog(ctx, dir, "--no-walk", commit)
	if err != nil {
		return Revision{}, err
	}
	return list[0], nil
}

// Selection says which revisions after one, up to another, to list.
type Selection struct {
	From, To string   // full names of commits; From itself is not listed
	Merges   bool     // only merge commits
	Touching []string // only what changes one of these paths, from the repository's root; nil for all
}

// List lists revisions, the oldest first, along the first parents: each is then
// the one before with one change, which may be a merged branch.
func List(ctx context.Context, dir string, s Selection) ([]Revision, error) {
	args := []string{"--first-parent", "--reverse"}
	if s.Merges {
		args = append(args, "--merges")
	}
	args = append(args, s.From+".."+s.To, "--")
	for _, path := range s.Touching {
		args = append(args, ":(top)"+path)
	}
	return readLog(ctx, dir, args...)
}

// readLog runs git log.
func readLog(ctx context.Context, dir string, args ...string) ([]Revision, error) {
	const format = "--format=%H%x1f%s%x1f%an%x1f%cs"
	out, err := Output(ctx, dir, append([]string{"log", "--no-show-signature", format}, args...)...)
	if err != nil || out == "" {
		return nil, err
	}
	list, err := parseLog(out)
	if err != nil {
		return nil, err
	}
	return list, name(ctx, dir, list)
}

// parseLog reads lines of four fields.
func parseLog(out string) ([]Revision, error) {
	var list []Revision
	for line := range strings.SplitSeq(out, "\n") {
		fields := strings.Split(line, "\x1f")
		if len(fields) < 4 {
			return nil, fmt.Errorf("git log: %q is no revision", line)
		}
		last := len(fields) - 2 // a subject may have anything in it
		list = append(list, Revision{Commit: fields[0], Subject: strings.Join(fields[1:last], "\x1f"), Author: fields[last], Date: fields[last+1]})
	}
	return list, nil
}

// atOnce is how many commits one git command is asked about: a command line has
// its bounds.
const atOnce = 500

// name describes revisions.
func name(ctx context.Context, dir string, list []Revision) error {
	for len(list) > 0 {
		some := list[:min(atOnce, len(list))]
		list = list[len(some):]
		args := []string{"describe", "--always", "--tags"}
		for _, r := range some {
			args = append(args, r.Commit)
		}
		out, err := Output(ctx, dir, args...)
		if err != nil {
			return err
		}
		names := strings.Split(out, "\n")
		if len(names) != len(some) {
			return fmt.Errorf("git describe: %d names of %d commits", len(names), len(some))
		}
		for i := range some {
			some[i].Name = names[i]
		}
	}
	return nil
}
