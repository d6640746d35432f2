package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
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
	unlucky    int               // requests that failed, in a row
	resting    time.Time         // the depot is not asked before
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

// putAtOnce is how many archives are put at a time.
const putAtOnce = 2

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

// asks says whether the depot is to be asked for an archive.
func (x *Exchange) asks(name string) bool {
	return x.trusts(name) && !x.rests()
}

func (x *Exchange) trusts(name string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return !x.of(name).distrusted
}

func (x *Exchange) rests() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return time.Now().Before(x.resting)
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
	err := x.repeat(ctx, func() (err error) {
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

// cause prefers why a transfer was given up to how it noticed.
func (p *pace) cause(err error) error {
	if cause := context.Cause(p.ctx); err != nil && cause != nil {
		return cause
	}
	return err
}

// repeat tries a request again while that may help, and notes how it ended.
func (x *Exchange) repeat(ctx context.Context, request func() error) (err error) {
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
		x.note(err)
	}
	return err
}

// note gives the depot a rest if it fails again and again. An answer that says no
// is none of these failures.
func (x *Exchange) note(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	var damage *arrivedDamaged
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.As(err, &damage) {
		x.unlucky = 0
		return
	}
	if x.unlucky++; x.unlucky >= x.limits.unlucky {
		x.resting, x.unlucky = time.Now().Add(x.limits.rest), 0
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

func (x *Exchange) count(change func(*Exchanged)) {
	x.mu.Lock()
	defer x.mu.Unlock()
	change(&x.done)
}

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
	if before || e.arrived || k.kept || x.closed || x.done.ReadOnly || time.Now().Before(x.resting) {
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
	return !x.done.ReadOnly && time.Now().After(x.resting)
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
	err = x.repeat(x.ctx, func() (err error) {
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
	return x.repeat(x.ctx, func() error {
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
