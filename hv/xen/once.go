package xen

import (
	"context"
	"sync"
)

// once keeps what a process makes once, by name. Others who want it meanwhile
// wait; what failed is tried again by the next.
type once[T any] struct {
	mu   sync.Mutex
	made map[string]*maker[T]
}

type maker[T any] struct {
	turn  chan struct{} // holds a token while nobody makes it
	value T
	done  bool
}

// get returns what is there, or makes it.
func (o *once[T]) get(ctx context.Context, name string, make func(context.Context) (T, error)) (T, error) {
	m := o.maker(name)
	var none T
	select {
	case <-m.turn:
		defer func() { m.turn <- struct{}{} }()
	case <-ctx.Done():
		return none, context.Cause(ctx)
	}
	if m.done {
		return m.value, nil
	}
	v, err := make(ctx)
	if err != nil {
		return none, err
	}
	m.value, m.done = v, true
	return v, nil
}

// there is what was made, if it was.
func (o *once[T]) there(name string) (value T, ok bool) {
	m := o.maker(name)
	select {
	case <-m.turn:
		defer func() { m.turn <- struct{}{} }()
		return m.value, m.done
	default:
		return value, false // somebody makes it
	}
}

// forget empties it, and returns what was there. What is being made goes on and is
// its maker's alone.
func (o *once[T]) forget() []T {
	o.mu.Lock()
	defer o.mu.Unlock()
	var all []T
	for name, m := range o.made {
		select {
		case <-m.turn:
			if m.done {
				all = append(all, m.value)
			}
			m.turn <- struct{}{}
		default:
		}
		delete(o.made, name)
	}
	return all
}

func (o *once[T]) maker(name string) *maker[T] {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.made == nil {
		o.made = map[string]*maker[T]{}
	}
	m := o.made[name]
	if m == nil {
		m = &maker[T]{turn: make(chan struct{}, 1)}
		m.turn <- struct{}{}
		o.made[name] = m
	}
	return m
}
