//go:build linux && (amd64 || 386)

// Package xl makes and ends domains by the commands of Xen's toolstack, one process
// each, as an administrator does at a shell. What the commands do to the scratch
// domain is what package workloads/domains measures.
package xl

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"xsmbench/bench"
	"xsmbench/hv/xen/domain/xenstore"
)

// Config says what there is to work with.
type Config struct {
	Program string // the path of xl
	Helper  string // that of libxl-save-helper
	Path    string // PATH of the programs
	Name    string // of the scratch domain
	Domain  string // the path of its description
	Save    string // the path of the file that it is saved to
	Memory  int64  // its size, in bytes
	// Free is the memory that Xen has left, in bytes.
	Free  func() (int64, error)
	Store *xenstore.Client
}

// Toolstack is the scratch domain's.
type Toolstack struct {
	Config
	asked int // questions to the domain so far
}

var _ bench.Toolstack = (*Toolstack)(nil)

// New returns a toolstack.
func New(c Config) *Toolstack { return &Toolstack{Config: c} }

// Paths in xenstore, below the scratch domain's directory, by which dom0 asks and the
// domain answers.
const (
	storeAsked    = "data/asked"
	storeAnswered = "data/answered"
)

// overhead is what a domain takes beside its memory: its page tables, grants, and the
// like. It is an upper bound.
const overhead = 8 << 20

// Room looks for memory in Xen, and for room where the domain is saved.
func (t *Toolstack) Room() error {
	if _, err := os.Stat(t.Program); err != nil {
		return bench.Lack("%v", err)
	}
	free, err := t.Free()
	if err != nil {
		return fmt.Errorf("ask for free memory: %w", err)
	}
	if need := t.Memory + overhead; free < need {
		return bench.Lack("Xen has %d MiB of memory left, the scratch domain takes %d", free>>20, need>>20)
	}
	dir := filepath.Dir(t.Config.Save)
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return fmt.Errorf("look for room in %s: %w", dir, err)
	}
	if room := int64(fs.Bavail) * int64(fs.Bsize); room < t.Memory {
		return bench.Lack("%s has room for %d MiB, the scratch domain has %d", dir, room>>20, t.Memory>>20)
	}
	return nil
}

// Create makes the domain, and stays behind to start it again if it reboots.
func (t *Toolstack) Create() error { return t.run("create", "-q", "-p", t.Domain) }

// Destroy ends it.
func (t *Toolstack) Destroy() error { return t.run("destroy", t.Name) }

// Pause stops it.
func (t *Toolstack) Pause() error { return t.run("pause", t.Name) }

// Unpause lets it run.
func (t *Toolstack) Unpause() error { return t.run("unpause", t.Name) }

// Save writes it to the file.
func (t *Toolstack) Save() error { return t.run("save", t.Name, t.Config.Save) }

// Restore makes it from the file.
func (t *Toolstack) Restore() error { return t.run("restore", t.Config.Save) }

// Saved is the file's size.
func (t *Toolstack) Saved() int64 {
	info, err := os.Stat(t.Config.Save)
	if err != nil {
		return 0
	}
	return info.Size()
}

// How long to wait, and how often to look. A domain starts in two seconds.
const (
	look     = 20 * time.Millisecond
	patience = 60 * time.Second
)

// Reboot has the domain start again.
func (t *Toolstack) Reboot() error {
	was, err := t.id()
	if err != nil {
		return err
	}
	if err := t.run("reboot", t.Name); err != nil {
		return err
	}
	for begun := time.Now(); time.Since(begun) < patience; time.Sleep(look) {
		if id, err := t.id(); err == nil && id != was {
			return t.Answers()
		}
	}
	return fmt.Errorf("reboot domain %d: no other has taken its place for %v", was, patience)
}

// Answers asks the domain, and waits for the answer.
func (t *Toolstack) Answers() error {
	id, err := t.id()
	if err != nil {
		return err
	}
	t.asked++
	at := fmt.Sprintf("/local/domain/%d/", id)
	question := strconv.Itoa(t.asked)
	if err := t.Store.Write(at+storeAsked, question); err != nil {
		return err
	}
	for begun := time.Now(); time.Since(begun) < patience; time.Sleep(look) {
		answer, err := t.Store.Read(at + storeAnswered)
		if err != nil && !xenstore.Missing(err) {
			return err
		}
		if answer == question {
			return nil
		}
	}
	return fmt.Errorf("domain %d does not answer for %v", id, patience)
}

// Answer is the scratch domain's part: it answers for ever.
func Answer(store *xenstore.Client) error {
	for {
		question, err := store.Await(storeAsked)
		if err == nil {
			err = store.Write(storeAsked, "") // the next one comes after the answer
		}
		if err == nil {
			err = store.Write(storeAnswered, question)
		}
		if err != nil {
			return err
		}
	}
}

// errNone is the error if there is no scratch domain.
var errNone = errors.New("there is no scratch domain")

// id finds the domain in xenstore.
func (t *Toolstack) id() (int, error) {
	ids, err := t.Store.List("/local/domain")
	if err != nil {
		return 0, err
	}
	for _, word := range ids {
		name, err := t.Store.Read("/local/domain/" + word + "/name")
		if err != nil && !xenstore.Missing(err) {
			return 0, err
		}
		if id, e := strconv.Atoi(word); e == nil && name == t.Name {
			return id, nil
		}
	}
	return 0, errNone
}

// State asks xl, whose list is Xen's.
func (t *Toolstack) State() (bench.DomainState, error) {
	out, err := t.output("list")
	if err != nil {
		return bench.DomainState{}, err
	}
	return stateIn(out, t.Name)
}

// stateIn finds a domain in what "xl list" prints: name, number, memory, vCPUs, state, time.
func stateIn(list, name string) (bench.DomainState, error) {
	for line := range strings.Lines(list) {
		words := strings.Fields(line)
		if len(words) != 6 || words[0] != name {
			continue
		}
		id, err := strconv.Atoi(words[1])
		if err != nil || id <= 0 {
			return bench.DomainState{}, fmt.Errorf("read xl's list: %q", strings.TrimSpace(line))
		}
		return bench.DomainState{ID: id, Paused: strings.Contains(words[4], "p")}, nil
	}
	return bench.DomainState{}, nil
}
