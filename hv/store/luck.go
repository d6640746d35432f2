package store

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"time"
)

// luck is how requests of one sort went lately. A depot that takes nothing may give
// all the same.
type luck struct {
	unlucky int       // failed, in a row
	resting time.Time // no more of them before
}

func (l *luck) rests() bool { return time.Now().Before(l.resting) }

// repeat tries a request again while that may help, and notes how it ended.
func (x *Exchange) repeat(ctx context.Context, of *luck, request func() error) (err error) {
	pause := x.limits.pause
	for try := 1; ; try++ {
		err = request()
		if try >= x.limits.tries || !isTemporary(err) {
			break
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause + rand.N(pause)):
		}
		pause *= 2
	}
	if ctx.Err() == nil {
		x.note(of, err)
	}
	return err
}

// note gives the depot a rest from requests that fail again and again. An answer
// that says no is none of these failures.
func (x *Exchange) note(of *luck, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	var damage *arrivedDamaged
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.As(err, &damage) {
		of.unlucky = 0
		return
	}
	if of.unlucky++; of.unlucky >= x.limits.unlucky {
		of.resting, of.unlucky = time.Now().Add(x.limits.rest), 0
	}
}

// complain counts a failure, and says the first.
func (x *Exchange) complain(r Recipe, err error) {
	x.mu.Lock()
	first := !x.complained && r.Progress != nil
	x.complained = x.complained || first
	x.done.Failed++
	if x.done.Err == nil {
		x.done.Err = err
	}
	x.mu.Unlock()
	if first {
		r.progress("shared store %s: %v: what it does not give is made here", x.depot, err)
	}
}
