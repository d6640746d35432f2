package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"
)

// DamageError says that an entry is not what was made. It is an ErrAbsent.
type DamageError struct {
	What   string // the entry, if it still says so
	File   string // the first file that differs; "" if it is none
	Reason string

	rejected bool // by a user: it is what was made, and does not do
}

// Error names the file.
func (e *DamageError) Error() string {
	return fmt.Sprintf("load %s: it is damaged (%s)", cmp.Or(e.What, "entry"), e.cause())
}

func (e *DamageError) cause() string {
	if e.File == "" {
		return e.Reason
	}
	return e.File + ": " + e.Reason
}

// Is makes a damaged entry an absent one.
func (e *DamageError) Is(target error) bool { return target == ErrAbsent }

// identity is a manifest's: an entry that is made anew has another.
type identity struct {
	dev, ino uint64
	time     int64
	size     int64
}

func identify(info fs.FileInfo) identity {
	id := identity{time: info.ModTime().UnixNano(), size: info.Size()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		id.dev, id.ino = uint64(st.Dev), st.Ino
	}
	return id
}

var (
	verified  sync.Map // identity to *DamageError: nil for whole, else it was rejected
	verifying singleflight.Group
)

// verify compares an entry with its manifest, once in a process.
func verify(ctx context.Context, root *os.Root, place string) (header, identity, error) {
	head, err := readHeader(filepath.Join(place, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return head, identity{}, &DamageError{Reason: "it has no manifest"}
	}
	if err != nil {
		return head, identity{}, &DamageError{File: manifestName, Reason: plain(err)}
	}
	if head.Version != version {
		return head, identity{}, &DamageError{What: head.What, File: manifestName, Reason: fmt.Sprintf("its version is %d, not %d", head.Version, version)}
	}
	info, err := root.Stat(manifestName)
	if err != nil {
		return head, identity{}, &DamageError{What: head.What, File: manifestName, Reason: plain(err)}
	}
	id := identify(info)
	if text, err := root.ReadFile(rejectedName); err == nil {
		return head, id, &DamageError{What: head.What, Reason: rejection(text), rejected: true}
	}
	return head, id, verifyOnce(ctx, id, place)
}

// rejection is the reason in a mark; its writer may have died before it wrote
// one.
func rejection(text []byte) string {
	return cmp.Or(strings.TrimSpace(string(text)), "it was rejected")
}

// verifyOnce shares the work between those who want one entry. A caller whose
// context ends leaves it to the others.
func verifyOnce(ctx context.Context, id identity, place string) error {
	done := verifying.DoChan(fmt.Sprint(id), func() (any, error) {
		if d, ok := verified.Load(id); ok {
			return d, nil
		}
		damage := compare(place)
		if damage == nil {
			verified.LoadOrStore(id, damage)
		}
		return damage, nil
	})
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case result := <-done:
		if d := result.Val.(*DamageError); d != nil {
			return d
		}
		return nil
	}
}

// compare reads a whole entry: first names and sizes, which cost little, then
// the contents.
func compare(place string) *DamageError {
	head, want, err := readManifest(filepath.Join(place, manifestName), true)
	if err != nil {
		return &DamageError{What: head.What, File: manifestName, Reason: plain(err)}
	}
	root := filepath.Join(place, filesName)
	have, err := scan(root)
	if err != nil {
		return &DamageError{What: head.What, Reason: plain(err)}
	}
	name, reason := compareLists(want, have)
	if reason == "" {
		name, reason = compareDigests(root, want)
	}
	if reason == "" {
		return nil
	}
	return &DamageError{What: head.What, File: name, Reason: reason}
}

func compareLists(want, have []file) (name, reason string) {
	there := map[string]file{}
	for _, f := range have {
		there[f.Path] = f
	}
	for _, w := range want {
		h, ok := there[w.Path]
		delete(there, w.Path)
		switch {
		case !ok:
			return w.Path, "it is missing"
		case h.Mode != w.Mode:
			return w.Path, fmt.Sprintf("its mode is %v, not %v", h.Mode, w.Mode)
		case h.Size != w.Size:
			return w.Path, fmt.Sprintf("it has %d bytes, not %d", h.Size, w.Size)
		case h.Target != w.Target:
			return w.Path, fmt.Sprintf("it leads to %s, not %s", h.Target, w.Target)
		}
	}
	for _, h := range have {
		if _, extra := there[h.Path]; extra {
			return h.Path, "it was not there when the entry was made"
		}
	}
	return "", ""
}

// errDiffers carries a file's name out of a group.
type errDiffers struct{ name, reason string }

func (e *errDiffers) Error() string { return e.name + ": " + e.reason }

func compareDigests(root string, want []file) (name, reason string) {
	var group errgroup.Group
	group.SetLimit(runtime.NumCPU())
	for _, w := range want {
		group.Go(func() error {
			h := file{Path: w.Path, Mode: w.Mode}
			if err := h.digest(root); err != nil {
				return &errDiffers{w.Path, plain(err)}
			}
			if h.SHA256 != w.SHA256 {
				return &errDiffers{w.Path, "its content has changed"}
			}
			return nil
		})
	}
	var differs *errDiffers
	if errors.As(group.Wait(), &differs) {
		return differs.name, differs.reason
	}
	return "", ""
}

// plain drops the path from an error of the file system: the entry's place
// tells a user nothing.
func plain(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}
