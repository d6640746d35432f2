package series

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"

	"xsmbench/hv/git"
)

// Ends are the run directories with the figures of the first and of the last revision
// that were asked for in a series' directory. They are the same if the images are.
func Ends(dir string) (first, last string, err error) {
	text, err := os.ReadFile(filepath.Join(dir, ledgerFile))
	if err != nil {
		return "", "", fmt.Errorf("read series: %w", err)
	}
	b, err := parseBook(text)
	if err != nil {
		return "", "", fmt.Errorf("read series %s: %w", dir, err)
	}
	if b.Shard != nil {
		return "", "", fmt.Errorf("%s holds %s: merge all shards first (see xsmbench merge --help)", dir, b.Shard.holds())
	}
	if len(b.Revisions) == 0 {
		return "", "", fmt.Errorf("%s does not say which revisions it is of: give the command of the series again", dir)
	}
	if first, err = b.run(dir, b.Revisions[0]); err != nil {
		return "", "", err
	}
	last, err = b.run(dir, b.Revisions[len(b.Revisions)-1])
	return first, last, err
}

// run is the directory with a revision's figures.
func (b book) run(dir string, r git.Revision) (string, error) {
	switch e, ok := b.Entries[r.Commit]; {
	case !ok:
		return "", fmt.Errorf("%s, an end of the series %s, is not measured: complete the series, or name one of its runs", r.Name, dir)
	case !e.HasFigures():
		return "", fmt.Errorf("%s, an end of the series %s, has no figures: %s: %s; name one of its runs", r.Name, dir, e.State, cmp.Or(e.Reason, "no reason is known"))
	case e.Run == "":
		return "", fmt.Errorf("the figures of %s, an end of the series %s, are only in the history: name a run, and the other one with --against-store", r.Name, dir)
	default:
		return filepath.Join(dir, e.Run), nil
	}
}
