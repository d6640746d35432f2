package history

import (
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/results"
)

// makeRun writes a run directory of rounds boots of one image, started on a
// day.
func makeRun(t testing.TB, day int, image string, rounds int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	build := hv.Build{Name: "flask", Arch: "amd64"}
	run := results.Run{
		Tool: "test", Spec: results.Spec{Target: "model", Builds: []hv.Build{build}, Domains: []string{"dom0"}, Rounds: rounds},
		Host: results.Host{CPU: "Invented", CPUs: 2, MemoryMB: 4000}, Images: []hv.Image{{Build: build, Hash: image}},
	}
	if day > 0 {
		run.Started = time.Date(2008, 1, day, 0, 0, 0, 0, time.UTC)
	}
	d, err := results.Create(dir, run)
	if err != nil {
		t.Fatal(err)
	}
	grow(t, d, image, 1, rounds)
	return dir
}

func grow(t testing.TB, d *results.Dir, image string, from, to int) {
	t.Helper()
	defer d.Close()
	for round := from; round <= to; round++ {
		w, err := d.Begin(results.Boot{Boot: round, Round: round, Order: 1, Image: image}, hv.Build{Name: "flask", Arch: "amd64"})
		if err != nil {
			t.Fatal(err)
		}
		m := bench.Measurement{Domain: "dom0", Benchmark: "A/b", Iterations: 5, Warnings: []string{"coarse clock"},
			Values: []bench.Value{{Value: float64(100 + round), Unit: "ns/op"}, {Value: 2, Unit: "hooks/op"}}, Windows: []float64{1, 2, 3}}
		if err := errors.Join(w.Add(m), w.End()); err != nil {
			t.Fatal(err)
		}
	}
}

func create(t testing.TB) *Store {
	t.Helper()
	s, err := Create(filepath.Join(t.TempDir(), "sub", "history.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func add(t testing.TB, s *Store, dir, label string) Added {
	t.Helper()
	a, err := s.Add(dir, label)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAdd(t *testing.T) {
	s := create(t)
	first := makeRun(t, 3, "aaaa", 2)
	a := add(t, s, first, "v1")
	if a.Outcome != New || a.Boots != 2 || a.Samples != 2 || a.Label != "v1" || len(a.Repeats) != 0 {
		t.Errorf("added %+v", a)
	}
	if a := add(t, s, first, ""); a.Outcome != Same || a.Label != "v1" {
		t.Errorf("again: %s, label %q", a.Outcome, a.Label)
	}
	copied := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(copied, os.DirFS(first)); err != nil {
		t.Fatal(err)
	}
	if a := add(t, s, copied, "v2"); a.Outcome != Labelled || a.Label != "v2" {
		t.Errorf("a copy: %s, label %q", a.Outcome, a.Label)
	}
	earlier := add(t, s, makeRun(t, 1, "aaaa", 2), "")
	if earlier.Outcome != New || len(earlier.Repeats) != 1 || earlier.Repeats[0].ID != a.ID {
		t.Errorf("a repetition: %+v", earlier)
	}
	if other := add(t, s, makeRun(t, 2, "bbbb", 2), ""); len(other.Repeats) != 0 {
		t.Errorf("another image repeats %+v", other.Repeats)
	}
	runs, err := s.Runs()
	if err != nil {
		t.Fatal(err)
	}
	days := []int{}
	for _, r := range runs {
		days = append(days, r.Run.Started.Day())
	}
	if !slices.Equal(days, []int{1, 2, 3}) {
		t.Errorf("runs of the days %v", days)
	}
}

// A run that was resumed replaces what it was; what it was does not replace it.
func TestExtend(t *testing.T) {
	s := create(t)
	dir := makeRun(t, 1, "aaaa", 2)
	old := filepath.Join(t.TempDir(), "old")
	if err := os.CopyFS(old, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	add(t, s, dir, "v1")
	d, err := results.Resume(dir)
	if err != nil {
		t.Fatal(err)
	}
	grow(t, d, "aaaa", 3, 4)
	if a := add(t, s, dir, ""); a.Outcome != Extended || a.Boots != 4 || a.Label != "v1" {
		t.Errorf("extended: %+v", a)
	}
	if a := add(t, s, old, ""); a.Outcome != Older || a.Boots != 4 {
		t.Errorf("older: %+v", a)
	}
	var got [][]Series
	if err := s.Each(func(_ Run, series []Series) error { got = append(got, series); return nil }); err != nil {
		t.Fatal(err)
	}
	want := Series{Target: "model", Arch: "amd64", Domain: "dom0", Build: "flask", Benchmark: "A/b", Unit: "ns/op", Remarks: []string{"coarse clock"}}
	for i := 1; i <= 4; i++ {
		want.Boots = append(want.Boots, Boot{Boot: i, Round: i, Image: "aaaa", Value: float64(100 + i)})
	}
	if len(got) != 1 || len(got[0]) != 2 {
		t.Fatalf("series %+v", got)
	}
	if diff := cmp.Diff(want, got[0][0]); diff != "" {
		t.Error(diff)
	}
}

// What is given back is what was added, byte for byte.
func TestFiles(t *testing.T) {
	s := create(t)
	dir := makeRun(t, 1, "aaaa", 2)
	a := add(t, s, dir, "")
	files, err := s.Files(a.Run)
	if err != nil || len(files) != 2 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		want, err := os.ReadFile(filepath.Join(dir, f.Name))
		if err != nil || string(want) != string(f.Text) {
			t.Errorf("%s: %v\n%s", f.Name, err, f.Text)
		}
	}
}

func TestFindAndRemove(t *testing.T) {
	s := create(t)
	a := add(t, s, makeRun(t, 1, "aaaa", 1), "v1")
	b := add(t, s, makeRun(t, 2, "bbbb", 1), "v2")
	c := add(t, s, makeRun(t, 3, "cccc", 1), "v2")
	for word, want := range map[string]string{"last": c.ID, a.ID: a.ID, b.Short(): b.ID, "v1": a.ID} {
		if got, err := s.Find(word); err != nil || got.ID != want {
			t.Errorf("%s: %s, %v, want %s", word, got.ID, err, want)
		}
	}
	for word, want := range map[string]string{"v2": "means 2 runs", "zzz": "no run", "": "no run"} {
		if _, err := s.Find(word); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", word, err, want)
		}
	}
	if err := s.Remove(a.Run); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Find("v1"); err == nil {
		t.Error("a removed run is found")
	}
	for table, column := range map[string]string{"runs": "id", "files": "run", "builds": "run", "series": "run", "samples": "run"} {
		if n := count(t, s, "SELECT count(*) FROM "+table+" WHERE "+column+" = ?", a.ID); n > 0 {
			t.Errorf("%s still has %d rows of the run", table, n)
		}
	}
	if n := count(t, s, "SELECT count(*) FROM boots WHERE series NOT IN (SELECT id FROM series)"); n > 0 {
		t.Errorf("%d boots of no series", n)
	}
}

func count(t *testing.T, s *Store, query string, args ...any) (n int) {
	t.Helper()
	if err := s.db.QueryRow(query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Runs without a start are told apart by what they hold.
func TestIdentity(t *testing.T) {
	s := create(t)
	a, b := add(t, s, makeRun(t, 0, "aaaa", 1), ""), add(t, s, makeRun(t, 0, "aaaa", 2), "")
	if a.ID == b.ID {
		t.Error("two runs have one ID")
	}
}

func TestAddRefuses(t *testing.T) {
	s := create(t)
	damaged, empty := makeRun(t, 1, "aaaa", 1), makeRun(t, 2, "aaaa", 0)
	path := filepath.Join(damaged, "results", "flask-amd64-dom0.txt")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(text, "nonsense\n"...), 0o666); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{damaged: "correct or delete the line", empty: "no results", t.TempDir(): "run.json"} {
		if _, err := s.Add(dir, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", dir, err, want)
		}
	}
	if runs, err := s.Runs(); err != nil || len(runs) > 0 {
		t.Errorf("%d runs, %v", len(runs), err)
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(filepath.Join(dir, "none.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("none: %v", err)
	}
	empty := filepath.Join(dir, "empty.db")
	if err := os.WriteFile(empty, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	s, err := Open(empty)
	if err != nil {
		t.Fatal(err)
	}
	if runs, err := s.Runs(); err != nil || len(runs) != 0 {
		t.Errorf("empty: %v, %v", runs, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := Create(filepath.Join(empty, "x.db")); err == nil {
		t.Error("a store was made below a file")
	}
	if _, err := Open(dir); err == nil {
		t.Error("a directory was opened")
	}
}

// A later program's store is refused, and not called damaged.
func TestSchema(t *testing.T) {
	s := create(t)
	if _, err := s.db.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	s.Close()
	for name, open := range map[string]func(string) (*Store, error){"open": Open, "create": Create} {
		_, err := open(s.Path())
		var damaged *DamagedError
		if err == nil || errors.As(err, &damaged) || !strings.Contains(err.Error(), "schema is 99") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Who cannot wait any longer for a writer says so; readers go on beside one that
// has not yet changed the file.
func TestLocked(t *testing.T) {
	defer func(d time.Duration) { patience = d }(patience)
	patience = 60 * time.Millisecond
	s := create(t)
	dir := makeRun(t, 1, "aaaa", 1)
	err := s.update(func(*sql.Tx, []Run) error {
		var locked *LockedError
		if other, err := Create(s.Path()); !errors.As(err, &locked) {
			t.Errorf("second writer: %v, %v", other, err)
		}
		read, err := Open(s.Path())
		if err != nil {
			t.Fatal(err)
		}
		defer read.Close()
		if runs, err := read.Runs(); err != nil || len(runs) != 0 {
			t.Errorf("reader: %d runs, %v", len(runs), err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	add(t, s, dir, "")
}

// Many who add at once wait for each other, and nothing is lost.
func TestSerialised(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.db")
	var group errgroup.Group
	for day := 1; day <= 6; day++ {
		dir := makeRun(t, day, "aaaa", 1)
		group.Go(func() error {
			s, err := Create(path)
			if err != nil {
				return err
			}
			_, err = s.Add(dir, "")
			return errors.Join(err, s.Close())
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	read, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	if runs, err := read.Runs(); err != nil || len(runs) != 6 {
		t.Errorf("%d runs, %v", len(runs), err)
	}
}

// A closed store is one file.
func TestOneFile(t *testing.T) {
	s := create(t)
	add(t, s, makeRun(t, 1, "aaaa", 1), "")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(filepath.Dir(s.Path()))
	if err != nil || len(files) != 1 {
		t.Errorf("%v, %v", files, err)
	}
}

// The characters that mean something in the name of a database mean nothing in
// a path.
func TestPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?mode=memory#%41&x.db")
	s, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	add(t, s, makeRun(t, 1, "aaaa", 1), "")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		t.Errorf("%v, %v", info, err)
	}
	if _, err := readAll(path); err != nil {
		t.Error(err)
	}
}

// A store is read where nothing can be written.
func TestReadOnly(t *testing.T) {
	s := create(t)
	add(t, s, makeRun(t, 1, "aaaa", 1), "")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	want, err := readAll(s.Path())
	if err != nil {
		t.Fatal(err)
	}
	dir := makeRun(t, 2, "aaaa", 1)
	protect(t, s.Path())
	if got, err := readAll(s.Path()); err != nil || got != want {
		t.Errorf("%v\n%s", err, cmp.Diff(want, got))
	}
	if s, err = Create(s.Path()); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Add(dir, ""); err == nil || !strings.Contains(err.Error(), "cannot be written to") {
		t.Errorf("to write: %v", err)
	}
}

// protect takes the right to write a file and into its folder, from root, too.
func protect(t *testing.T, path string) {
	t.Helper()
	dir := filepath.Dir(path)
	if err := errors.Join(os.Chmod(path, 0o444), os.Chmod(dir, 0o555)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(dir, 0o755) })
	if os.Geteuid() != 0 {
		return
	}
	for up := filepath.Dir(dir); up != filepath.Clean(os.TempDir()) && up != "/"; up = filepath.Dir(up) {
		if err := os.Chmod(up, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	becomeNobody(t)
}

// TestAddAll: many at once are what they are one by one. One that cannot be read
// leaves those before it.
func TestAddAll(t *testing.T) {
	dirs := []string{makeRun(t, 1, "a", 2), makeRun(t, 2, "b", 2), makeRun(t, 3, "a", 2), makeRun(t, 2, "b", 3)}
	dirs = append(dirs, dirs[0])
	one, many := create(t), create(t)
	var want, got []string
	say := func(to *[]string) func(string, Added) {
		return func(dir string, a Added) {
			line := dir + " " + a.ID + " " + string(a.Outcome)
			for _, r := range a.Repeats {
				line += " " + r.ID
			}
			*to = append(*to, line)
		}
	}
	for _, dir := range dirs {
		say(&want)(dir, add(t, one, dir, "x"))
	}
	if err := many.AddAll(dirs, "x", say(&got)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("added (-one by one +all at once):\n%s", diff)
	}
	a, errA := one.Runs()
	b, errB := many.Runs()
	for _, all := range [][]Run{a, b} {
		for i := range all {
			all[i].Added = time.Time{}
		}
	}
	if diff := cmp.Diff(a, b); diff != "" || len(a) != 3 || errA != nil || errB != nil {
		t.Errorf("%d runs (-one by one +all at once), %v, %v:\n%s", len(a), errA, errB, diff)
	}
	third := create(t)
	got = nil
	if err := third.AddAll([]string{dirs[0], dirs[1], t.TempDir(), dirs[2]}, "", say(&got)); err == nil || len(got) != 2 {
		t.Errorf("added %q, %v", got, err)
	}
	if runs, err := third.Runs(); len(runs) != 2 || err != nil {
		t.Errorf("%d runs, %v", len(runs), err)
	}
}
