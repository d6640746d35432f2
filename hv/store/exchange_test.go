package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var homely = Register(Kind{Name: "homely", Doc: "entries of tests that are not shared", Local: "they are tests'"})

// memory is a depot that fails as a test says.
type memory struct {
	mu      sync.Mutex
	has     map[string][]byte
	asked   []string
	getting func(name string) (io.Reader, error) // in place of the archive; nil, nil for that
	hasing  func() error
	putting func(ctx context.Context, name string) error
}

func (m *memory) String() string { return "test:memory" }

func (m *memory) note(what, name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = append(m.asked, what+" "+strings.Split(name, "/")[2])
}

// times counts requests that begin so.
func (m *memory) times(what string) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range m.asked {
		if strings.HasPrefix(a, what) {
			n++
		}
	}
	return n
}

func (m *memory) find(name string) ([]byte, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.has[name]
	return data, ok
}

func (m *memory) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	m.note("get", name)
	if m.getting != nil {
		if r, err := m.getting(name); r != nil || err != nil {
			return io.NopCloser(cancelled{ctx, r}), err
		}
	}
	data, ok := m.find(name)
	if !ok {
		return nil, fs.ErrNotExist
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

func (m *memory) Has(_ context.Context, name string) (bool, error) {
	m.note("has", name)
	if m.hasing != nil {
		if err := m.hasing(); err != nil {
			return false, err
		}
	}
	_, ok := m.find(name)
	return ok, nil
}

func (m *memory) Put(ctx context.Context, name string, archive io.ReaderAt, size int64) error {
	m.note("put", name)
	if m.putting != nil {
		if err := m.putting(ctx, name); err != nil {
			return err
		}
	}
	data, err := io.ReadAll(io.NewSectionReader(archive, 0, size+1))
	if err != nil || int64(len(data)) != size {
		return fmt.Errorf("%d bytes of %d: %v", len(data), size, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.has[name] = data
	return nil
}

// cancelled reads as a connection does: the context ends a read that waits.
type cancelled struct {
	ctx context.Context
	io.Reader
}

func (c cancelled) Read(p []byte) (int, error) {
	type result struct {
		n   int
		err error
	}
	done := make(chan result, 1)
	own := make([]byte, len(p))
	go func() {
		n, err := c.Reader.Read(own)
		done <- result{n, err}
	}()
	select {
	case r := <-done:
		return copy(p, own[:r.n]), r.err
	case <-c.ctx.Done():
		return 0, c.ctx.Err()
	}
}

// host is a machine with a store of its own that shares a depot.
type host struct {
	*Store
	x    *Exchange
	said words
	t    *testing.T
}

func newHost(t *testing.T, d Depot) *host {
	t.Helper()
	h := &host{Store: openTest(t, t.TempDir()), x: NewExchange(d), t: t}
	h.x.limits.pause = time.Millisecond
	h.ExchangeBy(h.x)
	t.Cleanup(func() { h.x.Close(context.Background()) })
	return h
}

// gets gets a thing and says whether it was made.
func (h *host) gets(k Kind, name string, change ...func(*Recipe)) (made bool) {
	h.t.Helper()
	r := Recipe{What: name, Progress: h.said.add, Make: writes(map[string]string{"file": "text of " + name})}
	for _, c := range change {
		c(&r)
	}
	e, err := h.Get(h.t.Context(), k, KeyOf(name), r)
	if err != nil {
		h.t.Errorf("%s: %v", name, err)
		return false
	}
	defer e.Release()
	if text := read(h.t, e.Path("file")); text != "text of "+name {
		h.t.Errorf("%s: its file is %q", name, text)
	}
	return e.Made
}

func (h *host) close() Exchanged { return h.x.Close(context.Background()) }

func newMemory() *memory { return &memory{has: map[string][]byte{}} }

// The second machine makes nothing, and what it has is as good as its own.
func TestExchange(t *testing.T) {
	d := newMemory()
	a, b := newHost(t, d), newHost(t, d)
	if !a.gets(things, "one") || !a.gets(things, "two") || a.gets(things, "one") {
		t.Error("the first machine does not make two things, once")
	}
	done := a.close()
	if done.Put != 2 || done.BytesPut == 0 || done.Fetched != 0 || done.Failed != 0 {
		t.Errorf("the first machine: %+v", done)
	}
	if b.gets(things, "one") || b.gets(things, "two") || !b.gets(things, "three") {
		t.Error("the second machine does not fetch what there is, and make the rest")
	}
	done = b.close()
	if done.Fetched != 2 || done.BytesFetched == 0 || done.Put != 1 {
		t.Errorf("the second machine: %+v", done)
	}
	if want := "fetching one from the shared store\nfetching two from the shared store"; b.said.String() != want {
		t.Errorf("the second machine says %q", b.said.String())
	}
	forget()
	if damage := compare(b.entry(things, KeyOf("one"))); damage != nil {
		t.Error(damage)
	}
	if left, _ := os.ReadDir(b.tmp()); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	// A third one, long after: nothing but what it needs is asked.
	c, before := newHost(t, d), d.times("")
	c.gets(things, "three")
	c.close()
	if n := d.times("") - before; n != 1 {
		t.Errorf("%d requests for one entry", n)
	}
}

// What a machine had before it shared anything is offered, once.
func TestExchangeOffersOld(t *testing.T) {
	d := newMemory()
	h := newHost(t, d)
	h.exchange = nil
	h.gets(things, "old")
	h.ExchangeBy(h.x)
	h.gets(things, "old")
	h.gets(things, "old")
	if done := h.close(); done.Put != 1 || d.times("has") != 1 {
		t.Errorf("%+v, asked %v", done, d.asked)
	}
}

func TestExchangeNotOfLocal(t *testing.T) {
	d := newMemory()
	h := newHost(t, d)
	h.gets(homely, "a kind")
	h.gets(things, "an entry", func(r *Recipe) { r.Local = true })
	h.close()
	if d.asked != nil {
		t.Errorf("asked %v", d.asked)
	}
}

// Whatever a depot does, the run gets what it needs, and one word.
func TestExchangeTroubles(t *testing.T) {
	temporary := func() error { return &TemporaryError{errors.New("it has the hiccups")} }
	cases := map[string]struct {
		trouble func(m *memory)
		words   []string // beginnings of lines
		gets    int      // requests for the 4 entries
		fetched int
		failed  int
	}{
		"absent":     {func(m *memory) { m.has = map[string][]byte{} }, nil, 4, 0, 0},
		"fails":      {func(m *memory) { m.getting = func(string) (io.Reader, error) { return nil, errors.New("no") } }, []string{"shared store test:memory: fetch 0: no: what it does not give is made here"}, 2, 0, 2},
		"hiccups":    {func(m *memory) { m.getting = func(string) (io.Reader, error) { return nil, temporary() } }, []string{"shared store test:memory: fetch 0: it has the hiccups: what"}, 2 * 3, 0, 2},
		"denied":     {func(m *memory) { m.getting = func(string) (io.Reader, error) { return nil, fs.ErrPermission } }, []string{"shared store test:memory: fetch 0: permission"}, 4, 0, 4},
		"twice":      {func(m *memory) { m.getting = odd(m, temporary) }, []string{"fetching 0", "fetching 1", "fetching 2", "fetching 3"}, 8, 4, 0},
		"silent":     {func(m *memory) { m.getting = func(string) (io.Reader, error) { return silence{}, nil } }, []string{"fetching 0", "shared store test:memory: fetch 0: too slow: nothing came for", "fetching 1"}, 2, 0, 2},
		"slow":       {func(m *memory) { m.getting = drips(m) }, []string{"fetching 0", "shared store test:memory: fetch 0: too slow: less than 128 KiB", "fetching 1"}, 2, 0, 2},
		"breaks off": {func(m *memory) { m.getting = breaksOff(m) }, []string{"fetching 0", "shared store test:memory: fetch 0: the transfer broke off: connection reset", "fetching 1"}, 6, 0, 2},
		"cut":        {func(m *memory) { m.change(func(b []byte) []byte { return b[:len(b)/2] }) }, []string{"fetching 0", "0 came damaged from the shared store (", "fetching 1", "1 came damaged"}, 4, 0, 0},
		"garbage":    {func(m *memory) { m.change(func([]byte) []byte { return []byte("<html>") }) }, []string{"fetching 0", "0 came damaged from the shared store (it is no archive"}, 4, 0, 0},
		"empty":      {func(m *memory) { m.change(func([]byte) []byte { return nil }) }, []string{"fetching 0", "0 came damaged"}, 4, 0, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newMemory()
			first := newHost(t, d)
			for i := range 4 {
				first.gets(things, fmt.Sprint(i))
			}
			first.close()
			d.asked = nil
			c.trouble(d)
			h := newHost(t, d)
			switch name {
			case "silent":
				h.x.limits.silence = 300 * time.Millisecond
			case "slow":
				h.x.limits.grace = 200 * time.Millisecond
			}
			unblock := blockPuts(h)
			made := 0
			for i := range 4 {
				if h.gets(things, fmt.Sprint(i)) {
					made++
				}
			}
			unblock()
			done := h.close()
			if made != 4-c.fetched || done.Fetched != c.fetched || done.Failed < c.failed {
				t.Errorf("made %d, want %d; %+v", made, 4-c.fetched, done)
			}
			if n := d.times("get"); n != c.gets {
				t.Errorf("%d requests, want %d", n, c.gets)
			}
			lines := strings.Split(h.said.String(), "\n")
			for i, want := range c.words {
				if i >= len(lines) || !strings.HasPrefix(lines[i], want) {
					t.Fatalf("said:\n%s\nwant line %d: %s", h.said.String(), i+1, want)
				}
			}
			if n := strings.Count(h.said.String(), "shared store test:memory"); n > 1 {
				t.Errorf("%d words about the shared store:\n%s", n, h.said.String())
			}
			if left, _ := os.ReadDir(h.tmp()); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}

// blockPuts has nothing put before the end of a test, or unblock: what is put
// well is a sign of life of the depot.
func blockPuts(h *host) (unblock func()) {
	for range putAtOnce {
		h.x.slot <- struct{}{}
	}
	unblock = sync.OnceFunc(func() {
		for range putAtOnce {
			<-h.x.slot
		}
	})
	h.t.Cleanup(unblock) // before the exchange is closed
	return unblock
}

func (m *memory) change(f func([]byte) []byte) {
	for name, data := range m.has {
		m.has[name] = f(slices.Clone(data))
	}
}

// odd fails every other request.
func odd(m *memory, fail func() error) func(string) (io.Reader, error) {
	return func(string) (io.Reader, error) {
		if m.times("get")%2 == 1 {
			return nil, fail()
		}
		return nil, nil
	}
}

// breaksOff gives the first half of what it has.
func breaksOff(m *memory) func(string) (io.Reader, error) {
	return func(name string) (io.Reader, error) {
		data, _ := m.find(name)
		return io.MultiReader(bytes.NewReader(data[:len(data)/2]), broken{}), nil
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

type silence struct{}

func (silence) Read([]byte) (int, error) { select {} }

// drips gives what it has byte by byte.
func drips(m *memory) func(string) (io.Reader, error) {
	return func(name string) (io.Reader, error) {
		data, _ := m.find(name)
		return drip{bytes.NewReader(data)}, nil
	}
}

type drip struct{ io.Reader }

func (d drip) Read(p []byte) (int, error) {
	time.Sleep(20 * time.Millisecond)
	return d.Reader.Read(p[:1])
}

// A damaged archive is replaced by what is made, whatever the depot says it has.
func TestExchangeMends(t *testing.T) {
	d := newMemory()
	a := newHost(t, d)
	a.gets(things, "one")
	a.close()
	d.change(func(b []byte) []byte { return b[:len(b)-1] })
	b := newHost(t, d)
	if !b.gets(things, "one") || b.close().Put != 1 {
		t.Error("the damaged archive was not replaced")
	}
	if c := newHost(t, d); c.gets(things, "one") {
		t.Error("the archive is still damaged")
	}
}

// An entry that does not do is not fetched again, but made and put in the place of
// the one that does not.
func TestExchangeRejected(t *testing.T) {
	d := newMemory()
	a := newHost(t, d)
	a.gets(things, "one")
	a.close()
	b := newHost(t, d)
	e := get(t, b.Store, things, KeyOf("one"), Recipe{What: "one", Make: never(t)})
	if err := e.Reject("it does not do"); err != nil {
		t.Fatal(err)
	}
	e.Release()
	if !b.gets(things, "one") {
		t.Error("the rejected entry was fetched again")
	}
	if done := b.close(); done.Put != 1 || done.Fetched != 1 {
		t.Errorf("%+v", done)
	}
	// One that is rejected before it was put is not put.
	c := newHost(t, newMemory())
	d = c.x.depot.(*memory)
	unblock := blockPuts(c)
	e = get(t, c.Store, things, KeyOf("two"), Recipe{What: "two", Make: writes(whole)})
	if err := e.Reject("it does not do"); err != nil {
		t.Fatal(err)
	}
	unblock()
	if done := c.close(); done.Put != 0 || d.times("put") != 0 {
		t.Errorf("a rejected entry: %+v", done)
	}
}

// An entry that other machines may use, but not this one, stays what it is there.
func TestExchangeChecked(t *testing.T) {
	d := newMemory()
	a := newHost(t, d)
	a.gets(things, "one", func(r *Recipe) {
		r.Check = func(context.Context, string) error { return errors.New("never of what is made here") }
	})
	a.close()
	b := newHost(t, d)
	made := b.gets(things, "one", func(r *Recipe) {
		r.Check = func(_ context.Context, dir string) error {
			if read(t, filepath.Join(dir, "file")) != "text of one" {
				t.Error("it is tried before it is there")
			}
			return errors.New("it does not load")
		}
	})
	if done := b.close(); !made || done.Put != 0 || d.times("put") != 1 {
		t.Errorf("made %v, %+v", made, done)
	}
	if !strings.Contains(b.said.String(), "one from the shared store does not do here (it does not load): making it") {
		t.Errorf("said %s", b.said.String())
	}
	c := newHost(t, d)
	if c.gets(things, "one", func(r *Recipe) { r.Check = func(context.Context, string) error { return nil } }) {
		t.Error("one that does was made")
	}
}

// A depot that takes nothing is asked once to.
func TestExchangeReadOnly(t *testing.T) {
	d := newMemory()
	d.putting = func(context.Context, string) error { return fs.ErrPermission }
	h := newHost(t, d)
	h.gets(things, "0")
	h.Settle(t.Context(), h.said.add)
	for i := range 5 {
		h.gets(things, fmt.Sprint(i))
	}
	done := h.close()
	if !done.ReadOnly || done.Put != 0 || done.Failed != 0 || d.times("put") != 1 {
		t.Errorf("%+v, %d asked to put", done, d.times("put"))
	}
	if strings.Contains(h.said.String(), "test:memory") {
		t.Errorf("said %s", h.said.String())
	}
}

// Who is to time something waits, with a word, until nothing is put.
func TestSettle(t *testing.T) {
	d := newMemory()
	h := newHost(t, d)
	h.Settle(t.Context(), h.said.add)
	if h.said.String() != "" {
		t.Errorf("said %q while nothing is put", h.said.String())
	}
	var put atomic.Bool
	d.putting = func(context.Context, string) error {
		time.Sleep(20 * soon)
		put.Store(true)
		return nil
	}
	h.gets(things, "0")
	h.Settle(t.Context(), h.said.add)
	if !put.Load() || h.x.Pending() > 0 || !strings.HasPrefix(h.said.String(), "waiting until what was made") {
		t.Errorf("put %v, %d pending, said %q", put.Load(), h.x.Pending(), h.said.String())
	}
}

// Close waits for what is being put, unless its context ends; the next run offers
// it again.
func TestExchangeClose(t *testing.T) {
	d := newMemory()
	begun := make(chan bool, 9)
	d.putting = func(ctx context.Context, _ string) error {
		begun <- true
		<-ctx.Done()
		return ctx.Err()
	}
	h := newHost(t, d)
	h.x.limits.silenceAtPut = time.Hour
	for i := range 4 {
		h.gets(things, fmt.Sprint(i))
	}
	<-begun
	<-begun
	if n := h.x.Pending(); n != 4 {
		t.Errorf("%d pending", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	done := h.x.Close(ctx)
	if done.Abandoned != 4 || done.Put != 0 || done.Failed != 0 || h.x.Pending() != 0 {
		t.Errorf("%+v, %d pending", done, h.x.Pending())
	}
	if left, _ := os.ReadDir(h.tmp()); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	d.putting = func(context.Context, string) error { time.Sleep(30 * time.Millisecond); return nil }
	h.x = NewExchange(d)
	h.ExchangeBy(h.x)
	for i := range 4 {
		h.gets(things, fmt.Sprint(i))
	}
	if done := h.close(); done.Put != 4 {
		t.Errorf("the next run: %+v", done)
	}
}

// A put that stands still is given up, and after two of them no more is put for a
// while. What the depot gives is fetched all the same.
func TestExchangeSlowPut(t *testing.T) {
	d := newMemory()
	a := newHost(t, d)
	a.gets(things, "there")
	a.close()
	d.asked = nil
	d.putting = func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() }
	h := newHost(t, d)
	h.x.limits.silenceAtPut = 300 * time.Millisecond
	for i := range 3 {
		h.gets(things, fmt.Sprint(i))
		h.Settle(t.Context(), h.said.add)
	}
	if h.gets(things, "there") {
		t.Error("what was put before is not fetched")
	}
	done := h.close()
	if done.Failed != 2 || !errors.Is(done.Err, errSlow) || d.times("put") != 2 || d.times("get") != 4 {
		t.Errorf("%+v, asked %v", done, d.asked)
	}
}

// After its rest the depot is asked again.
func TestExchangeRest(t *testing.T) {
	d := newMemory()
	d.getting = func(string) (io.Reader, error) { return nil, errors.New("no") }
	h := newHost(t, d)
	h.x.limits.rest = time.Second
	blockPuts(h)
	h.gets(things, "0")
	h.gets(things, "1")
	h.gets(things, "2")
	if n := d.times("get"); n != 2 {
		t.Errorf("%d requests before the rest", n)
	}
	time.Sleep(1100 * time.Millisecond)
	h.gets(things, "3")
	if n := d.times("get"); n != 3 {
		t.Errorf("%d requests after the rest", n)
	}
}

// A fetch ends with the run's context, and the entry is not made then.
func TestExchangeCancelled(t *testing.T) {
	d := newMemory()
	asked := make(chan bool, 1)
	d.getting = func(string) (io.Reader, error) { asked <- true; return silence{}, nil }
	h := newHost(t, d)
	h.x.limits.silence = time.Hour
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() { <-asked; cancel(stop) }()
	_, err := h.Get(ctx, things, KeyOf("one"), Recipe{What: "one", Make: func(ctx context.Context, _ string) error { return context.Cause(ctx) }, Progress: h.said.add})
	if !errors.Is(err, stop) {
		t.Errorf("error %v", err)
	}
	if done := h.close(); done.Failed != 0 || strings.Contains(h.said.String(), "test:memory") {
		t.Errorf("%+v; said %s", done, h.said.String())
	}
}

// Many machines at once: each entry is right everywhere, whoever made it.
func TestExchangeCrowd(t *testing.T) {
	d := newMemory()
	var group sync.WaitGroup
	for range 8 {
		h := newHost(t, d)
		group.Go(func() {
			for i := range 6 {
				h.gets(things, fmt.Sprint(i))
			}
			if done := h.close(); done.Failed > 0 {
				t.Errorf("%+v", done)
			}
		})
	}
	group.Wait()
	if len(d.has) != 6 {
		t.Errorf("%d archives", len(d.has))
	}
}

func TestArchiveName(t *testing.T) {
	name := archiveName(things, KeyOf("x"))
	if !strings.HasPrefix(name, "store-1/") || !strings.HasSuffix(name, "/things/"+string(KeyOf("x"))+".tar.zst") || strings.Count(name, "/") != 3 {
		t.Error(name)
	}
}

func TestNoExchange(t *testing.T) {
	s := openTest(t, t.TempDir())
	s.ExchangeBy(nil)
	get(t, s, things, KeyOf("x"), Recipe{What: "a thing", Make: writes(whole)})
	s.Settle(t.Context(), nil)
}
