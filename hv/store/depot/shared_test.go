package depot

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"xsmbench/hv/store"
)

var things = store.Register(store.Kind{Name: "things", Doc: "entries of tests"})

// Processes of these tests: machines with a store of their own.
const (
	machineEnv = "XSMBENCH_DEPOT_MACHINE" // the directory of the store
	depotEnv   = "XSMBENCH_DEPOT_URL"
	thingsEnv  = "XSMBENCH_DEPOT_THINGS" // how many it needs
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(machineEnv); dir != "" {
		if err := beMachine(dir); err != nil {
			fmt.Println("failed", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// thing is what the entry of a number has in it, 2 MB that hardly shrink.
func thing(n int) []byte {
	random := rand.NewChaCha8([32]byte{byte(n)})
	data := make([]byte, 2<<20)
	_, _ = random.Read(data)
	return data
}

func keyOf(n int) store.Key { return store.KeyOf("thing", fmt.Sprint(n)) }

// needs gets things and says how many it made.
func needs(ctx context.Context, s *store.Store, n int, progress func(string)) (made int, err error) {
	for i := range n {
		e, err := s.Get(ctx, things, keyOf(i), store.Recipe{
			What: fmt.Sprint("thing ", i), Progress: progress,
			Make: func(_ context.Context, dir string) error {
				return os.WriteFile(filepath.Join(dir, "data"), thing(i), 0o644)
			},
		})
		if err != nil {
			return made, err
		}
		data, err := os.ReadFile(e.Path("data"))
		if err != nil || !bytes.Equal(data, thing(i)) {
			return made, fmt.Errorf("thing %d is %d other bytes: %w", i, len(data), err)
		}
		if e.Made {
			made++
		}
		e.Release()
	}
	return made, nil
}

// beMachine needs things, and says what it did, in one line.
func beMachine(dir string) error {
	s, err := store.Open(dir)
	if err != nil {
		return err
	}
	d, err := Open(os.Getenv(depotEnv))
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(os.Getenv(thingsEnv))
	if err != nil {
		return err
	}
	x := store.NewExchange(d)
	s.ExchangeBy(x)
	fmt.Println("begun")
	made, err := needs(context.Background(), s, n, func(string) {})
	if err != nil {
		return err
	}
	done := x.Close(context.Background())
	fmt.Printf("done made %d fetched %d put %d failed %d readonly %v\n", made, done.Fetched, done.Put, done.Failed, done.ReadOnly)
	return nil
}

// machine is a process that needs things.
type machine struct {
	t   *testing.T
	cmd *exec.Cmd
	out *bufio.Scanner
}

func startMachine(t *testing.T, dir, url string, n int, change ...func(*exec.Cmd)) *machine {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	if _, err := os.Stat(cmd.Path); err != nil {
		cmd = exec.Command(os.Args[0])
	}
	cmd.Env = append(os.Environ(), machineEnv+"="+dir, depotEnv+"="+url, thingsEnv+"="+fmt.Sprint(n))
	cmd.Stderr = os.Stderr
	for _, c := range change {
		c(cmd)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	m := &machine{t, cmd, bufio.NewScanner(out)}
	t.Cleanup(m.kill)
	m.hears("begun")
	return m
}

func (m *machine) hears(want string) {
	m.t.Helper()
	if !m.out.Scan() || !strings.HasPrefix(m.out.Text(), want) {
		m.t.Fatalf("the machine says %q (%v), want %q", m.out.Text(), m.out.Err(), want)
	}
}

func (m *machine) kill() {
	_ = m.cmd.Process.Kill()
	_ = m.cmd.Wait()
}

// stores are the shared stores of these tests: a folder and a web server.
func stores(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("folder", func(t *testing.T) { test(t, "file://"+t.TempDir()) })
	t.Run("web", func(t *testing.T) { test(t, serve(t, &webFiles{}).URL) })
}

// sound checks that whatever lies in a shared store is whole: a machine that makes
// nothing but what is not there is given the rest.
func sound(t *testing.T, url string, n int) (fetched int) {
	t.Helper()
	s, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	x := store.NewExchange(open(t, url))
	s.ExchangeBy(x)
	var said []string
	made, err := needs(t.Context(), s, n, func(line string) { said = append(said, line) })
	if err != nil {
		t.Error(err)
	}
	done := x.Close(t.Context())
	if words := strings.Join(said, "\n"); strings.Contains(words, "damaged") || done.Failed > 0 {
		t.Errorf("%+v\n%s", done, words)
	}
	if made+done.Fetched != n {
		t.Errorf("made %d, fetched %d of %d", made, done.Fetched, n)
	}
	return done.Fetched
}

// Two machines that make the same at once put it at once; a third one makes
// nothing.
func TestSharedAtOnce(t *testing.T) {
	const n = 5
	stores(t, func(t *testing.T, url string) {
		a, b := startMachine(t, t.TempDir(), url, n), startMachine(t, t.TempDir(), url, n)
		a.hears("done made")
		b.hears("done made")
		if got := sound(t, url, n); got != n {
			t.Errorf("%d of %d are in the shared store", got, n)
		}
	})
}

// Machines that are killed while they put, and while they fetch, leave nothing
// that others trip over, and go on when they are started again.
func TestSharedKilled(t *testing.T) {
	const n = 4
	stores(t, func(t *testing.T, url string) {
		home := t.TempDir()
		for i := range 12 {
			m := startMachine(t, home, url, n)
			time.Sleep(rand.N(150 * time.Millisecond))
			m.kill()
			if i%4 == 3 { // then it fetches
				home = t.TempDir()
			}
		}
		sound(t, url, n)
		m := startMachine(t, home, url, n)
		m.hears("done made")
		if got := sound(t, url, n); got != n {
			t.Errorf("%d of %d are in the shared store", got, n)
		}
		left, err := os.ReadDir(filepath.Join(home, "store-1", "tmp"))
		if err != nil || len(left) > 0 {
			t.Errorf("left: %v, %v", left, err)
		}
	})
}

// chaos is a server that does whatever it likes.
type chaos struct {
	webFiles
	mu     sync.Mutex
	random *rand.Rand
	did    map[string]int
}

func (c *chaos) chooses() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	moods := []string{"well", "well", "well", "500", "403", "404", "resets", "cuts", "flips", "dawdles", "lies"}
	mood := moods[c.random.IntN(len(moods))]
	c.did[mood]++
	return mood
}

func (c *chaos) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch mood := c.chooses(); mood {
	case "500", "403", "404":
		code, _ := strconv.Atoi(mood)
		w.WriteHeader(code)
	case "resets":
		panic(http.ErrAbortHandler)
	case "cuts", "flips":
		c.spoil(w, r, mood)
	case "dawdles":
		time.Sleep(30 * time.Millisecond)
		c.webFiles.ServeHTTP(w, r)
	case "lies": // it has taken it, or has something else
		_, _ = io.WriteString(w, "<html>all is well</html>")
	default:
		c.webFiles.ServeHTTP(w, r)
	}
}

// spoil changes what is given.
func (c *chaos) spoil(w http.ResponseWriter, r *http.Request, mood string) {
	c.webFiles.mu.Lock()
	data := bytes.Clone(c.has[r.URL.Path])
	c.webFiles.mu.Unlock()
	if r.Method != http.MethodGet || len(data) == 0 {
		c.webFiles.ServeHTTP(w, r)
		return
	}
	if mood == "flips" {
		data[len(data)/2] ^= 1
		_, _ = w.Write(data)
		return
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(data)))
	_, _ = w.Write(data[:len(data)/2])
}

// Whatever a server does, every machine gets what it needs.
func TestSharedChaos(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	c := &chaos{random: rand.New(rand.NewPCG(seed, 0)), did: map[string]int{}}
	s := serve(t, c)
	var fetched atomic.Int64
	for range 4 {
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				s0, err := store.Open(t.TempDir())
				if err != nil {
					t.Error(err)
					return
				}
				d, err := Open(s.URL)
				if err != nil {
					t.Error(err)
					return
				}
				x := store.NewExchange(d)
				s0.ExchangeBy(x)
				if _, err := needs(t.Context(), s0, 4, func(string) {}); err != nil {
					t.Error(err)
				}
				fetched.Add(int64(x.Close(t.Context()).Fetched))
			})
		}
		group.Wait()
	}
	t.Logf("fetched %d; the server's moods: %v", fetched.Load(), c.did)
	if len(c.did) < 6 {
		t.Errorf("the server was too good: %v", c.did)
	}
}

// A machine whose user may read the shared store and not write it.
func TestSharedReadOnly(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("TestFolderReadOnly shows it")
	}
	shared, home := t.TempDir(), t.TempDir()
	for _, dir := range []string{shared, home} {
		for d := dir; d != filepath.Dir(d) && d != os.TempDir(); d = filepath.Dir(d) {
			if err := os.Chmod(d, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.Chown(home, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	startMachine(t, t.TempDir(), "file://"+shared, 2).hears("done made 2 fetched 0 put 2")
	nobody := startMachine(t, home, "file://"+shared, 3, func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	})
	nobody.hears("done made 1 fetched 2 put 0 failed 0 readonly true")
	if got := files(t, shared); len(got) != 2 {
		t.Errorf("there is %v", got)
	}
}

// A web server that gives and takes nothing.
func TestSharedReadOnlyWeb(t *testing.T) {
	f := &webFiles{}
	writing := serve(t, f)
	reading := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		f.ServeHTTP(w, r)
	}))
	startMachine(t, t.TempDir(), writing.URL, 2).hears("done made 2 fetched 0 put 2")
	startMachine(t, t.TempDir(), reading.URL, 3).hears("done made 1 fetched 2 put 0 failed 0 readonly true")
}

// A server that was there when the run began.
func TestSharedGone(t *testing.T) {
	f := serve(t, &webFiles{})
	f.Close()
	s, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	x := store.NewExchange(open(t, strings.Replace(f.URL, "//", "//user:hush@", 1)+"?sig=hush"))
	s.ExchangeBy(x)
	var said []string
	if made, err := needs(t.Context(), s, 4, func(line string) { said = append(said, line) }); made != 4 || err != nil {
		t.Errorf("made %d, %v", made, err)
	}
	done := x.Close(t.Context())
	if len(said) != 1 || strings.Contains(said[0]+fmt.Sprint(done), "hush") || !strings.Contains(said[0], "refused") {
		t.Errorf("said %q; %+v", said, done)
	}
	// Two that fetch, one after the other; of those that look before they put, one may
	// be on its way when two have failed.
	if done.Failed < 2 || done.Failed > 2+3 || errors.Is(done.Err, context.Canceled) {
		t.Errorf("%+v", done)
	}
}
