package results

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Claim is a directory in which no other process can begin or resume a run. It
// is made before the work that a run needs begins, so that a second run is
// refused at once.
type Claim struct {
	path string
	lock *lock
	// made are directories that the claim made, the inner ones first.
	made []string
}

// ClaimDir makes the directory, if it is not there, and claims it. The cause is
// a *LockedError if another process has it.
func ClaimDir(dir string) (*Claim, error) {
	c := &Claim{path: dir}
	for d := filepath.Clean(dir); ; d = filepath.Dir(d) {
		if _, err := os.Lstat(d); err == nil || d == filepath.Dir(d) {
			break
		}
		c.made = append(c.made, d)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	l, err := acquire(dir)
	if err != nil {
		return nil, err
	}
	c.lock = l
	return c, nil
}

// Create is the function Create in the claimed directory.
func (c *Claim) Create(run Run) (*Dir, error) {
	d := c.dir()
	if err := d.begin(run); err != nil {
		return nil, fmt.Errorf("create run %s: %w", c.path, err)
	}
	c.lock = nil // it is the Dir's
	return d, nil
}

// Resume is the function Resume in the claimed directory.
func (c *Claim) Resume() (*Dir, error) {
	run, err := ReadRun(c.path)
	if err != nil {
		return nil, fmt.Errorf("resume run: %w", err)
	}
	d := c.dir()
	d.run = run
	if err := d.recover(); err != nil {
		return nil, fmt.Errorf("resume run %s: %w", c.path, err)
	}
	c.lock = nil // it is the Dir's
	return d, nil
}

// Clear removes the run that is in the directory, with its report, but nothing
// else that may be there. Its record goes first: what is left if this is cut
// short is no run.
func (c *Claim) Clear() error {
	if _, err := os.Lstat(filepath.Join(c.path, runFile)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, name := range []string{runFile, samplesDir, consoleDir, profileDir, functionsDir, reportDir, timesFile} {
		if err := os.RemoveAll(filepath.Join(c.path, name)); err != nil {
			return err
		}
	}
	return nil
}

func (c *Claim) dir() *Dir {
	return &Dir{path: c.path, lock: c.lock, done: map[Key]bool{}, headed: map[string]bool{}}
}

// Release gives the directory up, unless a run was created or resumed in it.
// Directories that the claim made go if nothing else is in them.
func (c *Claim) Release() error {
	if c.lock == nil {
		return nil
	}
	if entries, err := os.ReadDir(c.path); err == nil && len(entries) == 1 && entries[0].Name() == lockFile {
		os.Remove(filepath.Join(c.path, lockFile)) // what cannot be removed may stay
		for _, d := range c.made {
			os.Remove(d)
		}
	}
	l := c.lock
	c.lock = nil
	return l.release()
}
