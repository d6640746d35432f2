package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"syscall"
)

// asks says whether the depot is to be asked for an archive.
func (x *Exchange) asks(name string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return !x.of(name).distrusted && !x.fetching.rests()
}

func (x *Exchange) trusts(name string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return !x.of(name).distrusted
}

// distrust has an entry made here, and put in place of what the depot has.
func (x *Exchange) distrust(k Kind, key Key) {
	if x == nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.of(archiveName(k, key)).distrusted = true
}

// fetch leaves an entry in a temporary folder of the store, or returns nil: then
// it is to be made.
func (x *Exchange) fetch(ctx context.Context, s *Store, k Kind, key Key, r Recipe) *temp {
	name := archiveName(k, key)
	if x == nil || !x.asks(name) {
		return nil
	}
	var got *temp
	var size int64
	say := sync.OnceFunc(func() { r.progress("fetching %s from the shared store", r.What) })
	err := x.repeat(ctx, &x.fetching, func() (err error) {
		got, size, err = x.fetchOnce(ctx, s, k, key, say)
		return err
	})
	if err == nil && r.Check != nil {
		err = r.checked(ctx, got)
	}
	var damage *arrivedDamaged
	var useless *uselessHere
	switch {
	case err == nil:
		x.count(func(e *Exchanged) { e.Fetched++; e.BytesFetched += size })
		return got
	case ctx.Err() != nil:
		if got != nil {
			_ = got.remove()
		}
	case errors.As(err, &damage):
		x.distrust(k, key)
		r.progress("%s came damaged from the shared store (%v): making it here", r.What, damage.err)
	case errors.As(err, &useless):
		x.keep(name)
		_ = got.remove()
		r.progress("%s from the shared store does not do here (%v): making it", r.What, useless.err)
	case !errors.Is(err, fs.ErrNotExist):
		x.complain(r, fmt.Errorf("fetch %s: %w", r.What, err))
	}
	return nil
}

// arrivedDamaged is an archive that is not what it should be.
type arrivedDamaged struct{ err error }

func (e *arrivedDamaged) Error() string { return "it is damaged: " + e.err.Error() }

// uselessHere is an entry that does not do on this machine.
type uselessHere struct{ err error }

func (e *uselessHere) Error() string { return e.err.Error() }

func (r Recipe) checked(ctx context.Context, t *temp) error {
	if err := r.Check(ctx, filepath.Join(t.dir, filesName)); err != nil {
		return &uselessHere{err}
	}
	return nil
}

// fetchOnce fetches an archive, of so many bytes, and takes the entry out of it as
// it comes. It says so when it has an answer.
func (x *Exchange) fetchOnce(ctx context.Context, s *Store, k Kind, key Key, say func()) (got *temp, size int64, err error) {
	p, stop := x.limits.start(ctx, x.limits.silence)
	defer stop()
	body, err := x.depot.Get(p.ctx, archiveName(k, key))
	p.works(0)
	if err != nil {
		return nil, 0, p.cause(err)
	}
	defer body.Close()
	say()
	t, err := s.newTemp()
	if err != nil {
		return nil, 0, err
	}
	from := &arrival{pace: p, in: body}
	if err = makeDir(filepath.Join(t.dir, filesName)); err == nil {
		err = unpack(ctx, from, t.dir, k, key)
	}
	if err == nil {
		return t, p.moved, nil
	}
	_ = t.remove()
	switch {
	case ctx.Err() != nil:
		return nil, 0, context.Cause(ctx)
	case errors.Is(from.err, errSlow):
		return nil, 0, from.err
	case from.err != nil:
		return nil, 0, &TemporaryError{fmt.Errorf("the transfer broke off: %w", from.err)}
	}
	return nil, 0, blame(err)
}

// blame tells a fault of this machine's disk from one of the archive.
func blame(err error) error {
	var disk syscall.Errno
	if errors.As(err, &disk) {
		return err
	}
	return &arrivedDamaged{err}
}
