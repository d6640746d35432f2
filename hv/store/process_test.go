package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// childEnv makes the test's program one of the children below.
const childEnv = "XSMBENCH_STORE_CHILD"

var children = map[string]func(s *Store, in *bufio.Scanner){
	"get":       getChild,
	"make":      makeChild,
	"churn":     churnChild,
	"workspace": workspaceChild,
	"hold":      holdChild,
	"scratch":   scratchChild,
	"read-only": readOnlyChild,
}

func TestMain(m *testing.M) {
	name, dir, is := strings.Cut(os.Getenv(childEnv), ":")
	if !is {
		os.Exit(m.Run())
	}
	if name == "orphan" {
		_, _ = io.Copy(io.Discard, os.NewFile(4, "end")) // holds the lock, as file 3, until the pipe ends
		return
	}
	s, err := Open(dir)
	if err != nil {
		say("open: %v", err)
		return
	}
	s.patience = soon
	children[name](s, bufio.NewScanner(os.Stdin))
}

// say is a child's word to the test.
func say(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// child is a process that the test talks to by lines.
type child struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func startChild(t *testing.T, name, dir string, change ...func(*exec.Cmd)) *child {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	if _, err := os.Stat(cmd.Path); err != nil {
		cmd = exec.Command(os.Args[0])
	}
	cmd.Env = append(os.Environ(), childEnv+"="+name+":"+dir)
	cmd.Stderr = os.Stderr
	for _, c := range change {
		c(cmd)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{t, cmd, in, bufio.NewScanner(out)}
	t.Cleanup(c.kill)
	return c
}

func (c *child) tell(line string) {
	c.t.Helper()
	if _, err := io.WriteString(c.in, line+"\n"); err != nil {
		c.t.Fatal(err)
	}
}

// hears waits for a line that begins so and returns the rest.
func (c *child) hears(start string) string {
	c.t.Helper()
	if !c.out.Scan() {
		c.t.Fatalf("the child ended (%v); want %q", c.out.Err(), start)
	}
	rest, ok := strings.CutPrefix(c.out.Text(), start)
	if !ok {
		c.t.Fatalf("the child says %q, want %q", c.out.Text(), start)
	}
	return strings.TrimSpace(rest)
}

// kill ends the child as SIGKILL does, and waits until its locks are free.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

// killQuiet kills a child that must not have said anything.
func (c *child) killQuiet() {
	c.t.Helper()
	_ = c.cmd.Process.Kill()
	if c.out.Scan() { // before Wait, which closes the pipe
		c.t.Errorf("the child says %q", c.out.Text())
	}
	c.kill()
}

// getChild gets an entry; its Make waits for the word "made".
func getChild(s *Store, in *bufio.Scanner) {
	e, err := s.Get(context.Background(), things, KeyOf("p"), Recipe{
		What: "a thing",
		Make: func(ctx context.Context, dir string) error {
			say("making")
			if !in.Scan() || in.Text() != "made" {
				return errors.New("told to fail")
			}
			return writes(map[string]string{"file": fmt.Sprint(os.Getpid())})(ctx, dir)
		},
		Progress: func(w string) { say("word %s", w) },
	})
	if err != nil {
		say("failed %v", err)
		return
	}
	text, err := os.ReadFile(e.Path("file"))
	say("got %v %s %v", e.Made, text, err)
	in.Scan()
	e.Release()
	say("released")
	in.Scan()
}

func TestProcessesWait(t *testing.T) {
	dir := t.TempDir()
	a := startChild(t, "get", dir)
	a.hears("making")
	b := startChild(t, "get", dir)
	word := b.hears("word")
	if want := fmt.Sprintf("waiting for a thing, which process %d makes", a.cmd.Process.Pid); word != want {
		t.Errorf("word %q, want %q", word, want)
	}
	a.tell("made")
	pid := fmt.Sprint(a.cmd.Process.Pid)
	a.hears("got true " + pid)
	b.hears("got false " + pid)

	s := openTest(t, dir)
	for _, c := range []*child{a, b} { // in use by one of them still
		if r, err := s.Clear(); err != nil || r.InUse != 1 || r.Entries != 0 {
			t.Errorf("Clear of what is in use: %+v, %v", r, err)
		}
		c.tell("release")
		c.hears("released")
	}
	if r, err := s.Clear(); err != nil || r.Entries != 1 {
		t.Errorf("Clear: %+v, %v", r, err)
	}
}

func TestMakerFailsOrDies(t *testing.T) {
	for name, end := range map[string]func(*child){
		"fails": func(c *child) { c.tell("fail"); c.hears("failed told to fail") },
		"dies":  (*child).kill,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			a := startChild(t, "get", dir)
			a.hears("making")
			b := startChild(t, "get", dir)
			b.hears("word")
			end(a)
			b.hears("making")
			b.tell("made")
			b.hears("got true")
			openTest(t, dir)
			empty(t, filepath.Join(dir, "store-1", "tmp"))
		})
	}
}

func TestUserDies(t *testing.T) {
	dir := t.TempDir()
	a := startChild(t, "get", dir)
	a.hears("making")
	a.tell("made")
	a.hears("got true")
	a.kill()
	s := openTest(t, dir)
	if r, err := s.Clear(); err != nil || r.Entries != 1 || r.InUse != 0 {
		t.Errorf("Clear: %+v, %v", r, err)
	}
	empty(t, filepath.Join(s.entries(), "things"))
}

// makeChild makes ten entries that others make, too.
func makeChild(s *Store, _ *bufio.Scanner) {
	for i := range 10 {
		e, err := s.Get(context.Background(), things, KeyOf("m", fmt.Sprint(i)), Recipe{What: "a thing", Make: writes(map[string]string{"f": "x"})})
		if err != nil {
			say("failed %v", err)
			return
		}
		if e.Made {
			say("made %d", i)
		}
		e.Release()
	}
	say("end")
}

func TestProcessesMakeOnce(t *testing.T) {
	dir := t.TempDir()
	var all []*child
	for range 4 {
		all = append(all, startChild(t, "make", dir))
	}
	made := map[string]int{}
	for _, c := range all {
		for c.out.Scan() && c.out.Text() != "end" {
			made[c.out.Text()]++
		}
	}
	for i := range 10 {
		if n := made[fmt.Sprintf("made %d", i)]; n != 1 {
			t.Errorf("entry %d was made %d times", i, n)
		}
	}
	if len(made) != 10 {
		t.Errorf("said: %v", made)
	}
}

const churned = 5

func churn(i int) (Key, map[string]string) {
	files := map[string]string{}
	for f := range 3 {
		files[fmt.Sprintf("d%d/f", f)] = strings.Repeat(fmt.Sprint(i), 1000*f)
	}
	return KeyOf("churn", fmt.Sprint(i)), files
}

// churnChild uses all of the store until it is killed.
func churnChild(s *Store, _ *bufio.Scanner) {
	for {
		if err := churnOnce(s); err != nil {
			say("failed %v", err)
			return
		}
	}
}

func churnOnce(s *Store) error {
	ctx := context.Background()
	key, files := churn(rand.IntN(churned))
	e, err := s.Get(ctx, things, key, Recipe{What: "a thing", Make: writes(files)})
	if err != nil {
		return err
	}
	defer e.Release()
	for name, text := range files {
		if got, err := os.ReadFile(e.Path(name)); err != nil || string(got) != text {
			return fmt.Errorf("%s: %d bytes, %w", name, len(got), err)
		}
	}
	switch rand.IntN(8) {
	case 0, 1:
		return e.Reject("the test wants it anew")
	case 2:
		e.Release()
		_, err := s.Clear()
		return err
	case 3:
		_, release, err := s.Scratch("a test")
		if err == nil {
			release()
		}
		return err
	case 4:
		w, err := s.Workspace(ctx, things, key, "a tree", nil)
		if err != nil {
			return err
		}
		if text, err := os.ReadFile(w.Path("f")); w.Intact && (err != nil || len(text) != 5000) {
			return fmt.Errorf("workspace: %d bytes, %w", len(text), err)
		}
		err = os.WriteFile(w.Path("f"), make([]byte, 5000), 0o644)
		return errors.Join(err, w.Close(err == nil))
	}
	return nil
}

// A process that is killed at any moment leaves nothing that others trip over.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	end := time.Now().Add(3 * time.Second)
	stays := startChild(t, "churn", dir)
	for time.Now().Before(end) {
		c := startChild(t, "churn", dir)
		time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond) // when the fault comes
		c.killQuiet()
	}
	stays.killQuiet()

	s := openTest(t, dir)
	empty(t, s.tmp())
	for i := range churned {
		key, files := churn(i)
		e := get(t, s, things, key, Recipe{What: "a thing", Make: writes(files)})
		if d := compare(filepath.Dir(e.Dir)); d != nil {
			t.Error(d)
		}
		e.Release()
	}
	if _, err := s.Clear(); err != nil {
		t.Error(err)
	}
	s.sweep()
	for _, dir := range []string{s.tmp(), filepath.Join(s.entries(), "things"), filepath.Join(s.workspaces(), "things")} {
		empty(t, dir)
	}
}

// workspaceChild holds a workspace until it is told to close it.
func workspaceChild(s *Store, in *bufio.Scanner) {
	w, err := s.Workspace(context.Background(), things, KeyOf("w"), "a tree", func(w string) { say("word %s", w) })
	if err != nil {
		say("failed %v", err)
		return
	}
	say("holds %v", w.Intact)
	in.Scan()
	say("closed %v", w.Close(in.Text() == "intact"))
	in.Scan()
}

func TestWorkspaceOfProcesses(t *testing.T) {
	dir := t.TempDir()
	a := startChild(t, "workspace", dir)
	a.hears("holds false")
	b := startChild(t, "workspace", dir)
	if word, want := b.hears("word"), fmt.Sprintf("waiting for the workspace of a tree, which process %d uses", a.cmd.Process.Pid); word != want {
		t.Errorf("word %q, want %q", word, want)
	}
	a.tell("intact")
	a.hears("closed <nil>")
	b.hears("holds true")
	b.kill()
	c := startChild(t, "workspace", dir)
	c.hears("holds false")
	s := openTest(t, dir)
	if r, err := s.Clear("things"); err != nil || r.InUse != 1 || r.Entries != 0 {
		t.Errorf("Clear of what is in use: %+v, %v", r, err)
	}
}

// holdChild starts a process that inherits the lock, and stays.
func holdChild(s *Store, in *bufio.Scanner) {
	w, err := s.Workspace(context.Background(), things, KeyOf("w"), "a tree", nil)
	if err != nil {
		say("failed %v", err)
		return
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), childEnv+"=orphan:")
	cmd.ExtraFiles = []*os.File{w.LockFile(), os.NewFile(3, "end")}
	if err := cmd.Start(); err != nil {
		say("failed %v", err)
		return
	}
	say("started")
	in.Scan()
	say("closed %v", w.Close(true))
	in.Scan()
}

// The compiler that a killed build leaves behind keeps its tree to itself.
func TestOrphanKeepsWorkspace(t *testing.T) {
	for name, end := range map[string]func(*child){
		"killed": (*child).kill,
		"closed": func(c *child) { c.tell("close"); c.hears("closed <nil>") },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			c := startChild(t, "hold", dir, func(cmd *exec.Cmd) { cmd.ExtraFiles = []*os.File{r} })
			r.Close()
			c.hears("started")
			end(c)
			s := openTest(t, dir)
			if r, err := s.Clear(); err != nil || r.InUse != 1 {
				t.Errorf("Clear under an orphan: %+v, %v", r, err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			_, err = s.Workspace(ctx, things, KeyOf("w"), "a tree", func(string) { cancel() })
			if !errors.Is(err, context.Canceled) {
				t.Errorf("Workspace under an orphan: %v", err)
			}
			w.Close() // the orphan ends
			next, err := s.Workspace(t.Context(), things, KeyOf("w"), "a tree", nil)
			if err != nil {
				t.Fatal(err)
			}
			if next.Intact != (name == "closed") {
				t.Errorf("intact: %v", next.Intact)
			}
			next.Close(true)
		})
	}
}

func scratchChild(s *Store, in *bufio.Scanner) {
	dir, _, err := s.Scratch("a machine")
	if err == nil {
		err = os.MkdirAll(filepath.Join(dir, "closed"), 0o500)
	}
	say("scratch %v", err)
	in.Scan()
}

func TestScratch(t *testing.T) {
	dir := t.TempDir()
	c := startChild(t, "scratch", dir)
	c.hears("scratch <nil>")
	s := openTest(t, dir)
	mine, release, err := s.Scratch("a machine")
	if err != nil {
		t.Fatal(err)
	}
	openTest(t, dir)
	if found, _ := filepath.Glob(filepath.Join(s.tmp(), "*", "closed")); len(found) != 1 {
		t.Error("the scratch folder of a living process is gone")
	}
	c.kill()
	openTest(t, dir)
	if found, _ := filepath.Glob(filepath.Join(s.tmp(), "*", "closed")); len(found) != 0 {
		t.Errorf("left of a dead process: %v", found)
	}
	if err := os.WriteFile(filepath.Join(mine, "f"), nil, 0o644); err != nil {
		t.Errorf("the scratch folder of this process: %v", err)
	}
	release()
	release()
	empty(t, s.tmp())
}
