package results

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"

	"xsmbench/hv"
)

const (
	runFile    = "run.json"
	samplesDir = "results"
	consoleDir = "console"
	profileDir = "profiles"
	reportDir  = "report" // what report writes, if nobody names another place
)

// ErrExists is the cause when Create finds a run in the directory.
var ErrExists = errors.New("it already holds a run")

// Dir is a run directory open for writing. One process at a time has it open.
type Dir struct {
	path string
	run  Run
	lock *lock
	done map[Key]bool
	last int
	// headed holds the files that this process has written a header to.
	headed map[string]bool
}

// Create makes the directory and what is in it, and writes run.json. The
// cause is ErrExists if the directory holds a run, a *LockedError if another
// process is writing there.
func Create(dir string, run Run) (*Dir, error) {
	c, err := ClaimDir(dir)
	if err != nil {
		return nil, fmt.Errorf("create run %s: %w", dir, err)
	}
	d, err := c.Create(run)
	return d, errors.Join(err, c.Release())
}

func (d *Dir) begin(run Run) error {
	old, err := filepath.Glob(filepath.Join(d.path, samplesDir, "*.txt"))
	if err != nil {
		return err
	}
	if _, err := os.Lstat(filepath.Join(d.path, runFile)); err == nil || len(old) > 0 {
		return ErrExists
	}
	if err := d.makeFolders(); err != nil {
		return err
	}
	return d.UpdateRun(run)
}

// makeFolders makes the folders that are written to. What others put there must
// not lead elsewhere: a run appends to files, and would write over those that
// links name.
func (d *Dir) makeFolders() error {
	t, err := openTree(d.path)
	if err != nil {
		return err
	}
	defer t.Close()
	for _, sub := range []string{samplesDir, consoleDir, profileDir} {
		_, problems, err := t.list(sub, "")
		if err != nil {
			return err
		}
		if problems != nil {
			return fmt.Errorf("%s: remove it, or name another directory", strings.TrimSuffix(problems[0].String(), notRead))
		}
	}
	for _, sub := range []string{samplesDir, consoleDir} {
		if err := os.MkdirAll(filepath.Join(d.path, sub), 0o777); err != nil {
			return err
		}
	}
	return nil
}

// Resume opens the directory of a run that was interrupted. Lines that were
// cut off are marked as torn; everything else stays as it is.
func Resume(dir string) (*Dir, error) {
	if _, err := ReadRun(dir); err != nil {
		return nil, fmt.Errorf("resume run: %w", err)
	}
	c, err := ClaimDir(dir)
	if err != nil {
		return nil, fmt.Errorf("resume run %s: %w", dir, err)
	}
	d, err := c.Resume()
	return d, errors.Join(err, c.Release())
}

// recover mends torn lines and finds which boots ended.
func (d *Dir) recover() error {
	if err := d.makeFolders(); err != nil {
		return err
	}
	paths, err := sampleFiles(d.path)
	if err != nil {
		return err
	}
	type boot struct {
		Key
		boot int
	}
	found, total := map[boot]int{}, map[boot]int{}
	for _, path := range paths {
		if err := mendTail(path); err != nil {
			return err
		}
		f := &file{path: path}
		if err := f.open(func(r io.Reader) error { return f.samples(r, nobody) }); err != nil {
			return err
		}
		for _, b := range f.boots {
			d.last = max(d.last, b.Boot.Boot)
			if b.ended {
				k := boot{Key{b.Round, b.build, b.arch}, b.Boot.Boot}
				found[k] += b.claimed
				total[k] = b.total
			}
		}
	}
	for k, n := range total {
		if found[k] == n {
			d.done[k.Key] = true
		}
	}
	return nil
}

// Path is the directory.
func (d *Dir) Path() string { return d.path }

// Run is what run.json holds.
func (d *Dir) Run() Run { return d.run }

// Done tells which boots have ended, of this process and of those before.
func (d *Dir) Done() map[Key]bool { return d.done }

// LastBoot is the highest number that a boot of the run bears, 0 before the
// first.
func (d *Dir) LastBoot() int { return d.last }

// UpdateRun replaces run.json at once: a reader finds the old or the new one.
func (d *Dir) UpdateRun(run Run) error {
	if run.Schema == 0 {
		run.Schema = Schema
	}
	text, err := json.MarshalIndent(run, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", runFile, err)
	}
	path := filepath.Join(d.path, runFile)
	if err := renameio.WriteFile(path, append(text, '\n'), 0o666); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	d.run = run
	return nil
}

// ConsolePath is where a boot's console goes.
func (d *Dir) ConsolePath(boot Boot, build hv.Build) string {
	return filepath.Join(d.path, consoleDir, consoleName(boot.Boot, build.Name))
}

func consoleName(boot int, build string) string { return fmt.Sprintf("%04d-%s.log", boot, build) }

// Close lets other processes write to the directory.
func (d *Dir) Close() error { return d.lock.release() }

// ReadRun reads a directory's run.json.
func ReadRun(dir string) (Run, error) {
	path := filepath.Join(dir, runFile)
	text, err := readRecord(dir)
	if err != nil {
		return Run{}, err
	}
	var run Run
	if err := json.Unmarshal(text, &run); err != nil {
		return Run{}, &DamageError{Problem{File: path, Line: lineOf(text, err), Text: err.Error()}}
	}
	if run.Schema != Schema {
		return Run{}, fmt.Errorf("read %s: schema %d, this program reads %d", path, run.Schema, Schema)
	}
	if name, twice := run.Spec.twice(); twice {
		return Run{}, &DamageError{Problem{File: path, Text: fmt.Sprintf("two builds have the name %s: their samples cannot be told apart", name)}}
	}
	return run, nil
}

// mostRecord bounds run.json, in bytes. Those of large runs have some 100 KiB.
const mostRecord = 16 << 20

func readRecord(dir string) ([]byte, error) {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return nil, fmt.Errorf("read run %s: it is a file: %w", dir, fs.ErrNotExist)
	}
	t, err := openTree(dir)
	if err != nil {
		return nil, fmt.Errorf("read run %s: it has no %s: %w", dir, runFile, err)
	}
	defer t.Close()
	if _, err := t.root.Lstat(runFile); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read run %s: it has no %s: %w", dir, runFile, fs.ErrNotExist)
	}
	text, err := t.read(runFile, mostRecord)
	if err != nil {
		return nil, fmt.Errorf("read run: %s: %w", shown(t.place(runFile)), err)
	}
	return text, nil
}

// DamageError is a run.json that is no JSON, or not of its form. The samples
// can be read without it.
type DamageError struct{ Problem Problem }

// Error names the file and the line.
func (e *DamageError) Error() string { return "read " + e.Problem.String() }

// lineOf is the line of a JSON error, 0 if it is not known.
func lineOf(text []byte, err error) int {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	var offset int64
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset = kind.Offset
	default:
		return 0
	}
	return 1 + bytes.Count(text[:min(offset, int64(len(text)))], []byte("\n"))
}
