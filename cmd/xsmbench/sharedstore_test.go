package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xsmbench/cmd/xsmbench/internal/cli"
)

// sharedServer is a web server with a password that takes archives.
type sharedServer struct {
	mu    sync.Mutex
	has   map[string][]byte
	stall chan struct{} // not nil: what is put waits for its end
	seen  int           // requests to put
}

func (s *sharedServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user, password, _ := r.BasicAuth()
	if user != "user" || password != "hush" || r.URL.RawQuery != "sig=hush" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	body, err := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method == http.MethodPut {
		s.seen++
		if s.stall != nil {
			s.mu.Unlock()
			select {
			case <-s.stall:
			case <-r.Context().Done():
			}
			s.mu.Lock()
		}
		if err == nil && r.Context().Err() == nil {
			s.has[r.URL.Path] = body
		}
		return
	}
	data, ok := s.has[r.URL.Path]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_, _ = w.Write(data)
}

func startSharedServer(t *testing.T) (s *sharedServer, url string) {
	t.Helper()
	s = &sharedServer{has: map[string][]byte{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, strings.Replace(server.URL, "//", "//user:hush@", 1) + "/store?sig=hush"
}

// hushed checks that no file below a directory has the password in it.
func (m *coldMachine) hushed(dirs ...string) {
	m.t.Helper()
	for _, dir := range dirs {
		err := filepath.WalkDir(filepath.Join(m.dir, dir), func(path string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() {
				return err
			}
			text, err := os.ReadFile(path)
			if bytes.Contains(text, []byte("hush")) {
				m.t.Errorf("%s has a password in it", path)
			}
			return err
		})
		if err != nil {
			m.t.Error(err)
		}
	}
}

// fetchedByAnother are the entries that a second machine needs: headers are part
// of builds that it does not make.
func fetchedByAnother() (all map[string]int, shared int) {
	all = map[string]int{}
	for kind, n := range entriesWanted {
		switch kind {
		case "xen-headers":
			continue
		case "code-maps", "guest-images", "own-source":
		default:
			shared += n
		}
		all[kind] = n
	}
	return all, shared
}

// TestSharedStore: a second machine makes nothing, since all comes from the shared
// store, and measures the same. Nothing that is written has the password in it.
func TestSharedStore(t *testing.T) {
	needDebian(t)
	wanted, shared := fetchedByAnother()
	for name, begin := range map[string]func(*testing.T) string{
		"folder": func(t *testing.T) string { return "file://" + t.TempDir() },
		"web":    func(t *testing.T) string { _, url := startSharedServer(t); return url },
	} {
		t.Run(name, func(t *testing.T) {
			m := newColdMachine(t)
			url := begin(t)
			first := m.startIn("first", "--store-url", url)
			m.completes(first)
			m.tidy()
			put := shared + entriesWanted["xen-headers"]
			if want := fmt.Sprintf("put %d entries (", put); !strings.Contains(first.said.String(), want) {
				t.Errorf("the first machine does not say %q:\n%s", want, first.said.String())
			}
			made := m.made()

			m.cache = "cache2"
			m.env = []string{"XSMBENCH_STORE_URL=" + url}
			second := m.startIn("second")
			m.completes(second)
			if d := cmp.Diff(made, m.made()); d != "" {
				t.Errorf("made by the second machine (-before +after):\n%s\n%s", d, second.said.String())
			}
			if d := cmp.Diff(wanted, m.entries()); d != "" {
				t.Errorf("entries of the second machine (-want +got):\n%s", d)
			}
			if want := fmt.Sprintf("fetched %d entries (", shared); !strings.Contains(second.said.String(), want) || strings.Contains(second.said.String(), " put ") {
				t.Errorf("the second machine does not say %q alone:\n%s", want, second.said.String())
			}
			if out, err := m.command("report", "second").CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
			m.hushed("first", "second", "cache", "cache2")
			if said := first.said.String() + second.said.String(); strings.Contains(said, "hush") {
				t.Errorf("a password was said:\n%s", said)
			}
		})
	}
}

// TestSharedStoreGone: without its server a run takes what it does without one, and
// says so once.
func TestSharedStoreGone(t *testing.T) {
	needDebian(t)
	m := newColdMachine(t)
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	run := m.startIn("run", "--store-url", server.URL)
	m.completes(run)
	m.tidy()
	if n := strings.Count(run.said.String(), "what it does not give is made here"); n != 1 {
		t.Errorf("%d words:\n%s", n, run.said.String())
	}
}

// TestSharedStoreInterrupted: Ctrl-C does not wait for what is being put, and the
// next run puts it.
func TestSharedStoreInterrupted(t *testing.T) {
	needDebian(t)
	m := newColdMachine(t)
	s, url := startSharedServer(t)
	s.stall = make(chan struct{})
	m.env = []string{"XSMBENCH_STORE_URL=" + url}
	run := m.startIn("run")
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		s.mu.Lock()
		seen := s.seen
		s.mu.Unlock()
		if seen > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("nothing is put: %s", run.said.String())
		}
	}
	if err := run.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	_ = run.Wait()
	if code := run.ProcessState.ExitCode(); code != cli.ExitInterrupted {
		t.Errorf("exit code %d:\n%s", code, run.said.String())
	}
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("it ended after %v", took)
	}
	if !strings.Contains(run.said.String(), "not put yet: the next run offers them again") {
		t.Errorf("said:\n%s", run.said.String())
	}
	close(s.stall)
	m.quiet()
	m.completes(m.startIn("run", "--replace"))
	m.tidy()
	_, shared := fetchedByAnother()
	s.mu.Lock()
	defer s.mu.Unlock()
	// If Xen was built before, its headers are not asked for again.
	if n := len(s.has); n != shared && n != shared+entriesWanted["xen-headers"] {
		t.Errorf("%d entries are in the shared store, want %d", n, shared)
	}
}

// TestSharedStoreKilled: a run that is killed while it fetches and puts leaves a
// shared store from which others can fetch.
func TestSharedStoreKilled(t *testing.T) {
	needDebian(t)
	random, took := coldMoments(t)
	for i := range (*coldRuns + 2) / 3 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			m := newColdMachine(t)
			m.env = []string{"XSMBENCH_STORE_URL=file://" + t.TempDir()}
			victim := m.start()
			time.Sleep(time.Duration(random.Int64N(int64(took))))
			_ = victim.Process.Signal(syscall.SIGKILL)
			_ = victim.Wait()
			m.quiet()
			m.cache = "cache2"
			other := m.start()
			m.completes(other)
			m.cache = "cache"
			m.completes(m.again(victim, true))
			if said := other.said.String(); strings.Contains(said, "damaged") {
				t.Errorf("the second machine:\n%s", said)
			}
		})
	}
}
