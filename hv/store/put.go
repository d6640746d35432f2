package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// putAtOnce is how many archives are put at a time.
const putAtOnce = 2

// keep has an archive in the depot stay as it is.
func (x *Exchange) keep(name string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.of(name).distrusted, x.of(name).kept = true, true
}

// offer puts an entry into the depot, in the background, unless that has it.
func (s *Store) offer(k Kind, r Recipe, e *Entry) {
	x := s.sharing(k, r)
	if x == nil || s.readOnly || !x.wants(archiveName(k, e.Key), e) {
		return
	}
	held, err := s.open(x.ctx, k, e.Key) // a use of its own
	if err != nil {
		x.finish()
		return
	}
	go func() {
		defer x.finish()
		defer held.Release()
		x.putInTurn(s, k, r, held)
	}()
}

// wants says whether an entry is to be offered, and then counts it as pending.
func (x *Exchange) wants(name string, e *Entry) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	k := x.of(name)
	before := k.offered && !(e.Made && k.distrusted)
	k.offered = true
	if before || e.arrived || k.kept || x.closed || !x.takes() {
		return false
	}
	if x.pending++; x.pending == 1 {
		x.idle = make(chan struct{})
	}
	return true
}

func (x *Exchange) finish() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.pending--; x.pending == 0 {
		close(x.idle)
	}
}

// putInTurn waits for one of the places and puts an entry.
func (x *Exchange) putInTurn(s *Store, k Kind, r Recipe, e *Entry) {
	select {
	case x.slot <- struct{}{}:
		defer func() { <-x.slot }()
	case <-x.ctx.Done():
	}
	var err error
	if x.ctx.Err() == nil && x.puts() {
		err = x.put(s, k, e)
	}
	switch {
	case x.ctx.Err() != nil:
		x.count(func(e *Exchanged) { e.Abandoned++ })
	case errors.Is(err, fs.ErrPermission):
		x.count(func(e *Exchanged) { e.ReadOnly = true })
	case err != nil:
		x.complain(Recipe{}, fmt.Errorf("put %s: %w", r.What, err))
	}
}

// puts says whether it is of use to put anything.
func (x *Exchange) puts() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.takes()
}

// takes is puts for who holds the lock.
func (x *Exchange) takes() bool {
	return !x.done.ReadOnly && !x.looking.rests() && !x.putting.rests()
}

// put puts an entry unless the depot has it.
func (x *Exchange) put(s *Store, k Kind, e *Entry) error {
	name := archiveName(k, e.Key)
	if x.trusts(name) {
		has, err := x.has(name)
		if has || err != nil {
			return err
		}
	}
	t, err := s.newTemp()
	if err != nil {
		return err
	}
	defer t.remove()
	archive, err := os.Create(filepath.Join(t.dir, "archive"))
	if err != nil {
		return err
	}
	defer archive.Close()
	if err := pack(x.ctx, filepath.Dir(e.Dir), archive); err != nil {
		return err
	}
	size, err := archive.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if e.isRejected() {
		return nil
	}
	if err := x.send(name, archive, size); err != nil {
		return err
	}
	x.count(func(e *Exchanged) { e.Put++; e.BytesPut += size })
	return nil
}

// has asks whether the depot has an archive. One that does not say may not have
// it.
func (x *Exchange) has(name string) (has bool, err error) {
	err = x.repeat(x.ctx, &x.looking, func() (err error) {
		p, stop := x.limits.start(x.ctx, x.limits.silence)
		defer stop()
		has, err = x.depot.Has(p.ctx, name)
		return p.cause(err)
	})
	if errors.Is(err, fs.ErrPermission) {
		return false, nil
	}
	return has, err
}

func (x *Exchange) send(name string, archive io.ReaderAt, size int64) error {
	return x.repeat(x.ctx, &x.putting, func() error {
		p, stop := x.limits.start(x.ctx, x.limits.silenceAtPut)
		defer stop()
		return p.cause(x.depot.Put(p.ctx, name, &departure{p, archive}, size))
	})
}

// isRejected says whether a user found the entry unusable.
func (e *Entry) isRejected() bool {
	_, err := e.root.Lstat(rejectedName)
	return err == nil
}
