package store

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Exchange fetches entries from a depot instead of making them, and puts there
// what this machine has and the depot has not. Whatever the depot does, it makes a
// run slower at worst: what it does not give at once is made here. What arrives is
// verified against its manifest.
//
// The methods are safe for concurrent use. Those that the store calls do nothing
// on a nil Exchange.
type Exchange struct {
	depot  Depot
	limits exchangeLimits

	ctx  context.Context // of what is put
	stop context.CancelFunc
	slot chan struct{} // as many places as archives are put at a time

	mu         sync.Mutex
	done       Exchanged
	known      map[string]*known // by name
	fetching   luck
	looking    luck // what the depot has
	putting    luck
	complained bool
	closed     bool
	pending    int
	idle       chan struct{} // closed when nothing is pending
}

// known is what is known of an archive in the depot.
type known struct {
	offered    bool // what this machine has need not be offered again
	distrusted bool // it does not do, and is not fetched
	kept       bool // it does not do on this machine, and may on others
}

// Exchanged is what an Exchange did.
type Exchanged struct {
	Fetched, Put           int // entries
	BytesFetched, BytesPut int64
	Failed                 int   // requests, after they were repeated
	Err                    error // of the first of them
	ReadOnly               bool  // the depot takes nothing
	Abandoned              int   // entries that were not put, since the program was to end
}

// exchangeLimits say when the depot is given up.
type exchangeLimits struct {
	tries        int           // of a request
	pause        time.Duration // between the first two, doubled from one to the next
	silence      time.Duration // before the first byte and between two
	silenceAtPut time.Duration // as a depot may check what it got
	grace        time.Duration // of waiting, before the rate counts
	rate         float64       // bytes a second below which making is likely faster
	unlucky      int           // failures in a row before the depot has a rest
	rest         time.Duration
}

var usualLimits = exchangeLimits{
	tries: 3, pause: 300 * time.Millisecond, silence: 10 * time.Second, silenceAtPut: time.Minute,
	grace: 10 * time.Second, rate: 128 << 10, unlucky: 2, rest: 5 * time.Minute,
}

// NewExchange is an exchange with a depot. Its user closes it.
func NewExchange(d Depot) *Exchange {
	x := &Exchange{
		depot: d, limits: usualLimits, slot: make(chan struct{}, putAtOnce),
		known: map[string]*known{}, idle: make(chan struct{}),
	}
	close(x.idle)
	x.ctx, x.stop = context.WithCancel(context.Background())
	return x
}

// usual is the exchange of the stores that Default opens.
var usual atomic.Pointer[Exchange]

// Share has the stores that Default opens exchange entries; with nil they no
// longer do.
func Share(x *Exchange) { usual.Store(x) }

// ExchangeBy has the store exchange entries.
func (s *Store) ExchangeBy(x *Exchange) { s.exchange = func() *Exchange { return x } }

// sharing is the exchange of what a recipe makes, nil if it is this machine's
// alone.
func (s *Store) sharing(k Kind, r Recipe) *Exchange {
	if s.exchange == nil || k.Local != "" || r.Local {
		return nil
	}
	return s.exchange()
}

// Settle waits until nothing is put any longer, or the context ends. Who is about
// to measure times calls it. progress receives a word if that takes a while.
func (s *Store) Settle(ctx context.Context, progress func(string)) {
	if s.exchange == nil {
		return
	}
	x := s.exchange()
	if x == nil {
		return
	}
	soon, cancel := context.WithTimeout(ctx, s.patience)
	x.settle(soon)
	cancel()
	if x.Pending() > 0 && ctx.Err() == nil {
		progress("waiting until what was made is in the shared store: to put it would disturb what is timed")
		x.settle(ctx)
	}
}

func (x *Exchange) settle(ctx context.Context) {
	x.mu.Lock()
	idle := x.idle
	x.mu.Unlock()
	select {
	case <-idle:
	case <-ctx.Done():
	}
}

// Pending is how many entries are still to be put.
func (x *Exchange) Pending() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.pending
}

// Close waits until what was made is put, and says what was done. If the context
// ends, what is not put is abandoned: the next run on this machine offers it again.
func (x *Exchange) Close(ctx context.Context) Exchanged {
	x.mu.Lock()
	x.closed = true
	x.mu.Unlock()
	x.settle(ctx)
	x.stop()
	x.settle(context.Background())
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.done
}

// of is what is known of an archive. The caller holds the lock.
func (x *Exchange) of(name string) *known {
	if x.known[name] == nil {
		x.known[name] = &known{}
	}
	return x.known[name]
}

func (x *Exchange) count(change func(*Exchanged)) {
	x.mu.Lock()
	defer x.mu.Unlock()
	change(&x.done)
}
