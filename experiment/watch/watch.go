// Package watch tells when a source tree changes. It watches every folder of the
// tree, those that are made later too. A change is told once nothing more has
// happened for a moment: editors and git write several files, and some of them
// twice. What git keeps for itself, and what it is told to ignore, is no change.
package watch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"xsmbench/hv/git"
)

// Quiet is how long nothing must happen before a change is told.
const Quiet = 300 * time.Millisecond

// Watcher watches trees.
type Watcher struct {
	events *fsnotify.Watcher
	roots  []string
	own    string // what is below it is no change
	quiet  time.Duration
}

// New watches the trees below directories. own is a directory that the program
// writes to itself, which may lie in one of them.
func New(own string, dirs ...string) (*Watcher, error) {
	own, err := filepath.Abs(own)
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	events, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	w := &Watcher{events: events, own: own, quiet: Quiet}
	for _, dir := range dirs {
		if dir, err = filepath.Abs(dir); err == nil {
			_, err = os.Stat(dir)
		}
		if err == nil {
			w.roots = append(w.roots, dir)
			err = w.add(dir)
		}
		if err != nil {
			return nil, errors.Join(err, events.Close())
		}
	}
	return w, nil
}

// Close ends the watch.
func (w *Watcher) Close() error { return w.events.Close() }

// add watches a directory and those below it. What is gone meanwhile needs no
// watch.
func (w *Watcher) add(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return fmt.Errorf("watch %s: %w", path, err)
		case !d.IsDir():
			return nil
		case w.isOwn(path):
			return fs.SkipDir
		}
		if err := w.events.Add(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("watch %s: %w (one watch for each folder: see fs.inotify.max_user_watches)", path, err)
		}
		return nil
	})
}

// isOwn reports whether a path is git's own, or this program's.
func (w *Watcher) isOwn(path string) bool {
	if rel, err := filepath.Rel(w.own, path); err == nil && filepath.IsLocal(rel) {
		return true
	}
	return slices.Contains(strings.Split(filepath.ToSlash(path), "/"), ".git")
}

// Next waits for a change, and returns the files that changed, in order. The
// error is the cause of ctx if that is done.
func (w *Watcher) Next(ctx context.Context) ([]string, error) {
	changed := map[string]bool{}
	var settled <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case err := <-w.events.Errors:
			if errors.Is(err, fsnotify.ErrEventOverflow) { // so much that nobody can say what
				return w.roots, nil
			}
			return nil, fmt.Errorf("watch: %w", err)
		case e := <-w.events.Events:
			took, err := w.take(e, changed)
			if err != nil {
				return nil, err
			}
			if took {
				settled = time.After(w.quiet)
			}
		case <-settled:
			settled = nil
			if files := w.ofSource(ctx, changed); len(files) > 0 {
				return files, nil
			}
			clear(changed)
		}
	}
}

// take notes an event. A new folder is watched, and the files in it have changed.
func (w *Watcher) take(e fsnotify.Event, changed map[string]bool) (took bool, err error) {
	if e.Op == fsnotify.Chmod || w.isOwn(e.Name) {
		return false, nil
	}
	if !e.Has(fsnotify.Create) {
		changed[e.Name] = true
		return true, nil
	}
	// Watched first: what is written from now on comes as an event.
	if err := w.add(e.Name); err != nil {
		return false, err
	}
	err = filepath.WalkDir(e.Name, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil: // it is gone again
		case d.IsDir() && w.isOwn(path):
			return fs.SkipDir
		case !d.IsDir():
			changed[path], took = true, true
		}
		return nil
	})
	return took, err
}

// ofSource are the changed files that git does not ignore; where there is no git,
// all.
func (w *Watcher) ofSource(ctx context.Context, changed map[string]bool) []string {
	var files []string
	for _, root := range w.roots {
		var some []string
		for path := range changed {
			if rel, err := filepath.Rel(root, path); err == nil && filepath.IsLocal(rel) {
				some = append(some, path)
			}
		}
		ignored, err := git.Ignored(ctx, root, some)
		if err != nil {
			ignored = nil
		}
		for _, path := range some {
			if !ignored[path] && !slices.Contains(files, path) {
				files = append(files, path)
			}
		}
	}
	return slices.Sorted(slices.Values(files))
}
