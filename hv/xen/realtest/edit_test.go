//go:build realxen

package realtest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xsmbench/hv/store"
	"xsmbench/hv/store/content"
	"xsmbench/hv/xen/debian"
	"xsmbench/hv/xen/source"
)

// phase is a part of the time from an edit to its verdict: it ends when a line
// with these words is printed, the last one at the program's end.
type phase struct{ name, end string }

var phases = []phase{
	{"revision: checked out, hashed", "after (flask): copying the source"},
	{"source: copied into the built tree", "after (flask): configuring"},
	{"Xen: configured", "after (flask): compiling what changed"},
	{"Xen: compiled and linked", "after (flask): built in"},
	{"symbols read, guests composed", "after (flask): booting to a snapshot"},
	{"boot to the snapshot", "after (flask): snapshot in"},
	{"other images awaited", "run "},
	{"resumes, records", "[6/6]"},
	{"comparison", ""},
}

// BenchmarkEdit is what a Xen developer waits for after an edit of one file: A
// has been measured before, and is what was built last; B differs from it in one
// function of FLASK. The table goes to standard error.
func BenchmarkEdit(b *testing.B) {
	repo := b.TempDir()
	for n := 0; b.Loop(); n++ {
		b.StopTimer()
		edits := twoEdits(b, repo, n)
		timed(b, repo, nil, "--builds", "before=flask@"+edits[0], "--aa", "--rounds", "1", "--bench", "op=xen_version$")
		b.StartTimer()
		dir := filepath.Join(b.TempDir(), "run")
		marks := make([]time.Time, len(phases))
		begun := time.Now()
		state := timed(b, repo, marks, "--builds", fmt.Sprintf("before=flask@%s,after=flask@%s", edits[0], edits[1]), "-o", dir)
		all := time.Since(begun)
		b.StopTimer()
		checkEdit(b, dir)
		fmt.Fprint(os.Stderr, table(begun, marks, all, state))
		b.ReportMetric(all.Seconds(), "s-wall")
		b.ReportMetric((state.UserTime() + state.SystemTime()).Seconds(), "s-cpu")
		b.StartTimer()
	}
}

// twoEdits makes a repository of Xen's source package with two commits, each
// with an instruction of its own in one hook, so that neither is in the store.
func twoEdits(b *testing.B, repo string, n int) (commits [2]string) {
	b.Helper()
	s, err := store.Default()
	if err != nil {
		b.Fatal(err)
	}
	original, err := source.Package(b.Context(), s, debian.Machine{}, quiet)
	if err != nil {
		b.Fatal(err)
	}
	defer original.Release()
	if n == 0 {
		if _, err := content.CopyTree(original.Dir, repo, original.Files); err != nil {
			b.Fatal(err)
		}
		git(b, repo, "init", "--quiet")
	}
	const hooks, hook = "xen/xsm/flask/hooks.c", "flask_evtchn_status("
	text := read(b, filepath.Join(original.Dir, hooks))
	before, after, ok := strings.Cut(text, hook)
	head, body, ok2 := strings.Cut(after, "{")
	if !ok || !ok2 {
		b.Fatalf("%s has no %s)", hooks, hook)
	}
	now := time.Now().UnixMilli() & 0x3fffffff
	for i := range commits {
		work := fmt.Sprintf("\n    asm volatile ( \"mov $%d, %%%%eax\" ::: \"eax\" );", now)
		work += strings.Repeat("\n    asm volatile ( \"nop\" );", i*addedWork)
		write(b, filepath.Join(repo, hooks), before+hook+head+"{"+work+body)
		git(b, repo, "add", "--all", "--force")
		git(b, repo, "commit", "--quiet", "--message", "edit")
		commits[i] = git(b, repo, "rev-parse", "HEAD")
	}
	return commits
}

func git(t testing.TB, repo string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-C", repo, "-c", "user.name=test", "-c", "user.email=test@example.org"}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// timed runs the command in a directory and notes when each phase ended.
func timed(b *testing.B, dir string, marks []time.Time, args ...string) *os.ProcessState {
	b.Helper()
	args = append([]string{"run", "--target", "xen", "--base", "before"}, args...)
	if marks == nil {
		args = append(args, "-o", filepath.Join(b.TempDir(), "run"))
	}
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	said, err := cmd.StderrPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	var all strings.Builder
	lines := bufio.NewScanner(io.TeeReader(said, &all))
	for lines.Scan() {
		for i := range marks {
			if end := phases[i].end; end != "" && strings.HasPrefix(lines.Text(), end) {
				marks[i] = time.Now()
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		b.Fatalf("xsmbench %s: %v\n%s", strings.Join(args, " "), err, all.String())
	}
	b.Log(all.String())
	return cmd.ProcessState
}

// checkEdit wants the edit's instructions in the verdict, and nothing else.
func checkEdit(b *testing.B, dir string) {
	b.Helper()
	c := compareRun(b, dir, "--base", "before")
	found := 0
	for name, r := range c.rows {
		added, want := *r.Value-*r.Base, 0.
		if strings.HasSuffix(r.Benchmark, "/op=evtchn_status") {
			want = addedWork
			found++
		}
		if r.exact && added != want {
			b.Errorf("%s: %v instructions were added, want %v", name, added, want)
		}
	}
	if found < 2 {
		b.Errorf("%d rows of the changed hook", found)
	}
}

// table says where each second went.
func table(begun time.Time, marks []time.Time, all time.Duration, state *os.ProcessState) string {
	var text strings.Builder
	text.WriteString("from edit to verdict, seconds:\n")
	last := begun
	for i, p := range phases {
		end := marks[i]
		if p.end == "" {
			end = begun.Add(all)
		}
		if end.IsZero() {
			fmt.Fprintf(&text, "     –  %s: not told\n", p.name)
			continue
		}
		fmt.Fprintf(&text, "%6.1f  %s\n", end.Sub(last).Seconds(), p.name)
		last = end
	}
	fmt.Fprintf(&text, "%6.1f  in all; processors busy for %.1f (user %.1f, system %.1f)\n",
		all.Seconds(), (state.UserTime() + state.SystemTime()).Seconds(), state.UserTime().Seconds(), state.SystemTime().Seconds())
	return text.String()
}
