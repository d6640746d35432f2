package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// nodeKills is the environment variable that says how many nodes and stores TestKilledNodes
// kills.
const nodeKills = "XSMBENCH_NODE_KILLS"

// mortalStore is a web server for archives that can be killed. It keeps what it has, as
// on a disk; but of what is just being put, and of what was put last, it keeps a part
// under the full name: servers do that which write in place, and to no disk at once.
type mortalStore struct {
	t       *testing.T
	address string
	server  *http.Server // nil while it is dead
	deaths  int

	mu   sync.Mutex
	has  map[string][]byte
	last string // what was put last
}

func newMortalStore(t *testing.T) *mortalStore {
	s := &mortalStore{t: t, address: "127.0.0.1:0", has: map[string][]byte{}}
	s.live()
	t.Cleanup(s.die)
	return s
}

// live starts the server, again where it was.
func (s *mortalStore) live() {
	s.t.Helper()
	l, err := net.Listen("tcp", s.address)
	if err != nil {
		// Another program was given the port meanwhile: the store stays dead.
		s.t.Logf("the store does not come back: %v", err)
		return
	}
	s.address = l.Addr().String()
	s.server = &http.Server{Handler: s}
	go func(h *http.Server) { _ = h.Serve(l) }(s.server)
}

// die ends the server and all connections.
func (s *mortalStore) die() {
	if s.server != nil {
		_ = s.server.Close()
		s.server = nil
		s.deaths++
		s.mu.Lock()
		s.has[s.last] = s.has[s.last][:len(s.has[s.last])/2]
		s.mu.Unlock()
	}
}

func (s *mortalStore) url() string { return "http://" + s.address + "/store" }

func (s *mortalStore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPut {
		s.put(r)
		return
	}
	s.mu.Lock()
	data, ok := s.has[r.URL.Path]
	s.mu.Unlock()
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(data)))
	if r.Method == http.MethodHead {
		return
	}
	for len(data) > 0 { // slowly, so that it is met by its death
		n := min(len(data), 4096)
		if _, err := w.Write(data[:n]); err != nil {
			return
		}
		data = data[n:]
		time.Sleep(200 * time.Microsecond)
	}
}

func (s *mortalStore) put(r *http.Request) {
	var all []byte
	part := make([]byte, 4096)
	for {
		n, err := r.Body.Read(part)
		all = append(all, part[:n]...)
		if err != nil {
			if !errors.Is(err, io.EOF) && len(all) == 0 {
				return
			}
			s.mu.Lock()
			s.has[r.URL.Path], s.last = all, r.URL.Path
			s.mu.Unlock()
			return
		}
		time.Sleep(200 * time.Microsecond)
	}
}

// TestKilledNodes measures with shards on nodes that share a store, all of the real Xen's
// pipeline with fakes for what it starts. Nodes die at random moments, some with their
// disks, and the store dies and comes back. What is merged is what one machine writes that
// nobody disturbs.
func TestKilledNodes(t *testing.T) {
	needDebian(t)
	kills := number(t, nodeKills, 1)
	seed := number(t, shardSeed, 1)
	random := rand.New(rand.NewPCG(uint64(seed), 1))
	one := newColdMachine(t)
	begun := time.Now()
	if out, err := one.command(append(slices.Clone(coldRun), "-o", "whole")...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	usual := time.Since(begun)
	nodes, stores, damaged := 0, 0, 0
	for no := 1; nodes+stores < kills && !t.Failed(); no++ {
		t.Run(fmt.Sprint(no), func(t *testing.T) {
			f := newNodeFleet(t, 2+random.IntN(2))
			f.disturb(random, usual)
			f.merge(filepath.Join(one.dir, "whole"))
			nodes += f.deaths
			stores += f.store.deaths
			damaged += f.damaged
		})
	}
	t.Logf("%d kills of nodes, %d of the store, %d entries of it that were torn and refused, seed %d", nodes, stores, damaged, seed)
}

// nodeFleet is a plan's shards, each on a node of its own.
type nodeFleet struct {
	t       *testing.T
	store   *mortalStore
	shared  string // directory that all nodes see
	nodes   []*coldMachine
	runs    []*process // under way, by node
	deaths  int
	damaged int // entries of the store that a node refused
}

func newNodeFleet(t *testing.T, n int) *nodeFleet {
	f := &nodeFleet{t: t, store: newMortalStore(t), shared: memoryDir(t), nodes: make([]*coldMachine, n), runs: make([]*process, n)}
	for i := range n {
		m := newColdMachine(t)
		// A machine's fakes are found by PATH, which the next machine changes.
		m.env = []string{"PATH=" + os.Getenv("PATH"), "XSMBENCH_STORE_URL=" + f.store.url(), "XSMBENCH_MACHINE_LOCK=" + filepath.Join(m.dir, "lock")}
		f.nodes[i] = m
		f.start(i)
	}
	return f
}

func (f *nodeFleet) part(i int) string { return filepath.Join(f.shared, fmt.Sprint(i+1)) }

func (f *nodeFleet) start(i int) {
	f.t.Helper()
	args := slices.Concat(coldRun, []string{"--shard", fmt.Sprintf("%d/%d", i+1, len(f.nodes)), "-o", f.part(i)})
	f.runs[i] = f.nodes[i].begin(f.part(i), args...)
}

// disturb kills nodes and the store at some moments of the run.
func (f *nodeFleet) disturb(random *rand.Rand, usual time.Duration) {
	f.t.Helper()
	for range 2 + random.IntN(4) {
		time.Sleep(time.Duration(random.Int64N(int64(usual / 2))))
		switch i := random.IntN(len(f.nodes) + 1); {
		case i < len(f.nodes):
			f.kill(i, random.IntN(2) == 0)
		case f.store.server != nil:
			f.store.die()
		default:
			f.store.live()
		}
	}
	if f.store.server == nil {
		f.store.live()
	}
}

// kill kills a node, which then begins again, with its disk or without.
func (f *nodeFleet) kill(i int, disk bool) {
	f.t.Helper()
	m, p := f.nodes[i], f.runs[i]
	_ = p.Process.Signal(syscall.SIGKILL)
	_ = p.Wait()
	if status, ok := p.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		f.deaths++
	} else if code := p.ProcessState.ExitCode(); code != 0 {
		f.t.Errorf("shard %d: exit code %d\n%s", i+1, code, p.said.String())
	}
	m.quiet()
	if !disk {
		m.cache = fmt.Sprintf("%s-new", m.cache)
	}
	f.start(i)
}

// merge waits for all shards, and compares what they make with one machine's.
func (f *nodeFleet) merge(whole string) {
	f.t.Helper()
	args := []string{"merge", "-o", "merged"}
	for i, p := range f.runs {
		if err := p.Wait(); err != nil {
			f.t.Fatalf("shard %d: %v\n%s", i+1, err, p.said.String())
		}
		f.damaged += strings.Count(p.said.String(), "damaged")
		args = append(args, f.part(i))
	}
	m := f.nodes[0]
	if out, err := m.command(args...).CombinedOutput(); err != nil {
		f.t.Fatalf("%v\n%s", err, out)
	}
	sameRun(f.t, whole, filepath.Join(m.dir, "merged"))
}
