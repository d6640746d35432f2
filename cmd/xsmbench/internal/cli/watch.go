package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"xsmbench/cmd/xsmbench/internal/progress"
	"xsmbench/experiment"
	"xsmbench/experiment/watch"
	"xsmbench/hv"
	"xsmbench/reports/table"
)

// notWatched are flags of run that say nothing of runs without end.
var notWatched = []string{"resume", "replace", "budget", "max-rounds"}

// watchFlags say what to measure whenever the source changes.
type watchFlags struct {
	runFlags
}

func newWatch() *cobra.Command {
	var f watchFlags
	c := &cobra.Command{
		Use:   "watch",
		Short: "Measure again whenever the source changes",
		Long: `Watch measures the builds, shows which rows differ, and waits until a source
directory changes: one that a build names after @, or --source. Then it measures
again. flask@. is the tree of --source as it stands, or the working directory
without --source.

    xsmbench watch --target xen --source ../xen --builds before=flask@HEAD,after=flask@. --bench evtchn

Files that git ignores are not watched. A source that does not build is reported,
and watched until it does. Each run has a directory of its own below -o. Ctrl-C ends
the watch; the exit code is then 130.`,
		Args: cobra.NoArgs,
		RunE: sharing(func(c *cobra.Command, _ []string) error { return f.watch(c) }),
	}
	f.register(c.Flags())
	for _, name := range notWatched {
		c.Flags().Lookup(name).Hidden = true
		mark(c.Flags(), name)
	}
	c.Flags().Lookup("output").Usage = "directory of the runs (default: runs/watch-DATE-TIME)"
	configFlag(c)
	return c
}

// question is what the flags ask of each run.
func (f *watchFlags) questionOf(c *cobra.Command) (experiment.Question, error) {
	for _, name := range notWatched {
		if c.Flags().Changed(name) {
			return experiment.Question{}, fmt.Errorf("--%s: watch measures again and again; use xsmbench run", name)
		}
	}
	if err := withConfig(c); err != nil {
		return experiment.Question{}, err
	}
	return f.question(c.Flags())
}

func (f *watchFlags) watch(c *cobra.Command) error {
	q, err := f.questionOf(c)
	if err != nil {
		return err
	}
	dirs, err := sourcesOfBuilds(q)
	if err != nil {
		return err
	}
	base := f.output
	if base == "" {
		base = "runs/watch-" + time.Now().Format("2006-01-02-150405")
	}
	w, err := watch.New(base, dirs...)
	if err != nil {
		return err
	}
	defer w.Close()
	var last map[string]string
	for n := 1; ; n++ {
		q.Output = filepath.Join(base, fmt.Sprintf("%04d", n))
		images, err := f.once(c, q, last)
		switch {
		case c.Context().Err() != nil:
			return context.Cause(c.Context())
		case err != nil && n == 1 && images == nil && !hv.OfSource(err):
			return err // of the question
		case err != nil:
			fmt.Fprintln(c.ErrOrStderr(), "xsmbench:", strings.TrimSpace(err.Error()))
		default:
			last = images
		}
		fmt.Fprintf(c.ErrOrStderr(), "watching %s (Ctrl-C ends)\n", strings.Join(dirs, ", "))
		changed, err := w.Next(c.Context())
		if err != nil {
			return err
		}
		fmt.Fprintf(c.ErrOrStderr(), "\nchanged: %s\n", few(changed, dirs))
	}
}

// sourcesOfBuilds are the directories that builds are made of as they stand.
func sourcesOfBuilds(q experiment.Question) ([]string, error) {
	_, builds, err := q.Resolve()
	if err != nil {
		return nil, inFlags(err)
	}
	var dirs []string
	for _, b := range builds {
		if b.Rev == "" && b.Source != "" && !slices.Contains(dirs, b.Source) {
			dirs = append(dirs, b.Source)
		}
	}
	if dirs == nil {
		return nil, errors.New("watch: no build is made from a directory that can change: name one after @, as in after=flask@., or with --source")
	}
	return dirs, nil
}

// once measures, unless the images are those of the last time, and shows which
// rows differ. It returns the images' hashes.
func (f *watchFlags) once(c *cobra.Command, q experiment.Question, last map[string]string) (map[string]string, error) {
	s, err := begin(q)
	if err != nil {
		return nil, inFlags(err)
	}
	defer s.Close()
	screen := progress.New(c.ErrOrStderr())
	made, err := s.Make(c.Context(), screen.Building)
	if err != nil {
		return nil, err
	}
	images := map[string]string{}
	for _, img := range made.List(s.Spec()) {
		images[fmt.Sprint(img.Build.Name, img.Build.Arch, img.Build.Layout)] = img.Hash
	}
	if last != nil && same(last, images) {
		fmt.Fprintln(c.OutOrStdout(), "no image changed: the figures are those of before")
		return images, nil
	}
	out, err := s.Run(c.Context(), screen, nil)
	if err != nil {
		return images, err
	}
	if !out.Complete() {
		return images, fmt.Errorf("%d of %d boots failed (consoles: %s)", out.Boots-out.Done, out.Boots, filepath.Join(s.Path(), "console"))
	}
	return images, f.compared(c, s)
}

func same(a, b map[string]string) bool {
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return len(a) == len(b)
}

// compared shows the rows of a run that differ.
func (f *watchFlags) compared(c *cobra.Command, s *experiment.Session) error {
	in, err := readInput(s.Path())
	if err != nil {
		return err
	}
	f.single = true
	cmp, err := in.compare(f.compareFlags)
	if err != nil {
		return err
	}
	profiles, err := in.hooks()
	if err != nil {
		return err
	}
	w := c.OutOrStdout()
	if err := table.Differing(w, cmp, profiles); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "run: %s\n", s.Path())
	return err
}

// mostNamed is how many files a line names.
const mostNamed = 5

// few names some files, relative to where they lie.
func few(files, dirs []string) string {
	var names []string
	for i, path := range files {
		if i == mostNamed {
			names = append(names, fmt.Sprintf("and %d more", len(files)-i))
			break
		}
		for _, dir := range dirs {
			if rel, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(rel) {
				path = rel
				break
			}
		}
		names = append(names, table.Harmless(path))
	}
	return strings.Join(names, ", ")
}
