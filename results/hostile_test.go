package results

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"

	"xsmbench/hv"
)

// goodRun is a copy of a run with profiles, which a test then does something to.
func goodRun(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	if err := os.CopyFS(dir, os.DirFS("../docs/testdata/xen")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// elsewhere is a file outside of the run, which looks like one of the run's.
func elsewhere(t testing.TB, of string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../docs/testdata/xen", of))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), filepath.Base(of))
	must(t, os.WriteFile(path, bytes.ReplaceAll(text, []byte("build: dummy"), []byte("build: secret")), 0o644))
	return path
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// sparse makes a file that is large and takes no space.
func sparse(t testing.TB, path string, size int64) {
	t.Helper()
	must(t, os.WriteFile(path, nil, 0o644))
	must(t, os.Truncate(path, size))
}

// bomb is a small text of gzip that unpacks to a part over and over.
func bomb(t testing.TB, part []byte, size int) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(part); err != nil {
		t.Fatal(err)
	}
	must(t, z.Close())
	return bytes.Repeat(b.Bytes(), size/len(part))
}

// hostile are run directories that somebody made to harm who reads them, or
// that went wrong. What can be read is; the rest is said in a line each.
var hostile = []struct {
	name string
	make func(t *testing.T, dir string)
	want string // of the only problem, "" for none
}{
	{"nothing", func(*testing.T, string) {}, ""},
	{"a link out of it", func(t *testing.T, dir string) {
		must(t, os.Symlink(elsewhere(t, "results/dummy-amd64-dom0.txt"), filepath.Join(dir, "results", "x.txt")))
	}, "run/results/x.txt: results/x.txt is a symbolic link out of the run directory, which is not followed; it is not read"},
	{"a link out of it by ..", func(t *testing.T, dir string) {
		must(t, os.Rename(elsewhere(t, "results/dummy-amd64-dom0.txt"), filepath.Join(filepath.Dir(dir), "y.txt")))
		must(t, os.Symlink("../../y.txt", filepath.Join(dir, "results", "x.txt")))
	}, "run/results/x.txt: results/x.txt is a symbolic link out of the run directory"},
	{"a link to a link out of it", func(t *testing.T, dir string) {
		must(t, os.Symlink("y", filepath.Join(dir, "results", "x.txt")))
		must(t, os.Symlink(elsewhere(t, "results/dummy-amd64-dom0.txt"), filepath.Join(dir, "results", "y")))
	}, "run/results/x.txt: results/x.txt is a symbolic link out of the run directory"},
	{"a link to nothing", func(t *testing.T, dir string) {
		must(t, os.Symlink("nothing", filepath.Join(dir, "results", "x.txt")))
	}, "run/results/x.txt: results/x.txt is a symbolic link to nothing; it is not read"},
	{"a link to itself", func(t *testing.T, dir string) {
		must(t, os.Symlink("x.txt", filepath.Join(dir, "results", "x.txt")))
	}, "run/results/x.txt: "},
	{"a link within it", func(t *testing.T, dir string) {
		from := filepath.Join(dir, "results", "dummy-amd64-dom0.txt")
		must(t, os.Rename(from, filepath.Join(dir, "kept")))
		must(t, os.Symlink("../kept", from))
	}, ""},
	{"a link to a device", func(t *testing.T, dir string) {
		must(t, os.Symlink("/dev/zero", filepath.Join(dir, "results", "x.txt")))
	}, "run/results/x.txt: results/x.txt is a symbolic link out of the run directory"},
	{"a device", func(t *testing.T, dir string) {
		if err := syscall.Mknod(filepath.Join(dir, "results", "x.txt"), syscall.S_IFCHR|0o666, 1<<8|5); err != nil {
			t.Skip("needs root: ", err)
		}
	}, "run/results/x.txt: not a regular file; it is not read"},
	{"a pipe", func(t *testing.T, dir string) {
		must(t, syscall.Mkfifo(filepath.Join(dir, "results", "x.txt"), 0o666))
	}, "run/results/x.txt: not a regular file; it is not read"},
	{"a folder", func(t *testing.T, dir string) {
		must(t, os.Mkdir(filepath.Join(dir, "results", "x.txt"), 0o777))
	}, "run/results/x.txt: not a regular file; it is not read"},
	{"folders, deep", func(t *testing.T, dir string) {
		must(t, os.MkdirAll(filepath.Join(dir, "results", strings.Repeat("x/", 200)), 0o777))
		must(t, os.MkdirAll(filepath.Join(dir, "profiles", strings.Repeat("x/", 200)), 0o777))
	}, ""},
	{"a name of several lines", func(t *testing.T, dir string) {
		must(t, os.WriteFile(filepath.Join(dir, "results", "x\nwarning: all is well\x1b[2J.txt"), []byte("# boot: rubbish\n"), 0o644))
	}, `run/results/x\nwarning: all is well\x1b[2J.txt":1: `},
	{"a pipe whose name has several lines", func(t *testing.T, dir string) {
		must(t, syscall.Mkfifo(filepath.Join(dir, "results", "x\ny.txt"), 0o666))
	}, `run/results/x\ny.txt": not a regular file; it is not read`},
	{"a name that is no UTF-8", func(t *testing.T, dir string) {
		must(t, os.WriteFile(filepath.Join(dir, "results", "x\xff\xfe.txt"), []byte("# boot: rubbish\n"), 0o644))
	}, `run/results/x\xff\xfe.txt":1: `},
	{"a line that does not end", func(t *testing.T, dir string) {
		sparse(t, filepath.Join(dir, "results", "x.txt"), 100<<20)
	}, "run/results/x.txt: no sample in it: "},
	{"profiles: a link out of it", func(t *testing.T, dir string) {
		must(t, os.Symlink(elsewhere(t, "profiles/"+aProfile(t)), filepath.Join(dir, "profiles", "x.pb.gz")))
	}, "run/profiles/x.pb.gz: profiles/x.pb.gz is a symbolic link out of the run directory"},
	{"profiles: a pipe", func(t *testing.T, dir string) {
		must(t, syscall.Mkfifo(filepath.Join(dir, "profiles", "x.pb.gz"), 0o666))
	}, "run/profiles/x.pb.gz: not a regular file"},
	{"profiles: unpacks to 400 MB of zeros", func(t *testing.T, dir string) {
		must(t, os.WriteFile(filepath.Join(dir, "profiles", "x.pb.gz"), bomb(t, make([]byte, 1<<20), 400<<20), 0o644))
	}, "run/profiles/x.pb.gz: larger than 2 MiB: no run of xsmbench has such a file"},
	{"profiles: unpacks to as many samples as it can have", func(t *testing.T, dir string) {
		must(t, os.WriteFile(filepath.Join(dir, "profiles", "x.pb.gz"), bomb(t, bytes.Repeat([]byte{2<<3 | 2, 0}, 1<<19), mostProfile), 0o644))
	}, "run/profiles/x.pb.gz: "},
	{"profiles: large, and not packed", func(t *testing.T, dir string) {
		sparse(t, filepath.Join(dir, "profiles", "x.pb.gz"), 1<<40)
	}, "run/profiles/x.pb.gz: larger than 2 MiB"},
	{"profiles: packed twice", func(t *testing.T, dir string) {
		inner := bomb(t, make([]byte, 1<<20), 100<<20)
		must(t, os.WriteFile(filepath.Join(dir, "profiles", "x.pb.gz"), bomb(t, inner, len(inner)), 0o644))
	}, "run/profiles/x.pb.gz: larger than 2 MiB"},
	{"profiles: cut off", func(t *testing.T, dir string) {
		must(t, os.WriteFile(filepath.Join(dir, "profiles", "x.pb.gz"), bomb(t, []byte("x"), 1)[:20], 0o644))
	}, "run/profiles/x.pb.gz: unexpected EOF"},
	{"profiles: empty", func(t *testing.T, dir string) {
		must(t, os.WriteFile(filepath.Join(dir, "profiles", "x.pb.gz"), nil, 0o644))
	}, "run/profiles/x.pb.gz: empty"},
	{"profiles are a link out of it", func(t *testing.T, dir string) {
		must(t, os.Rename(filepath.Join(dir, "profiles"), filepath.Join(filepath.Dir(dir), "away")))
		must(t, os.Symlink("../away", filepath.Join(dir, "profiles")))
	}, "run/profiles: profiles is a symbolic link out of the run directory, which is not followed; it is not read"},
	{"profiles are a pipe", func(t *testing.T, dir string) {
		must(t, os.RemoveAll(filepath.Join(dir, "profiles")))
		must(t, syscall.Mkfifo(filepath.Join(dir, "profiles"), 0o666))
	}, "run/profiles: not a folder; it is not read"},
}

// aProfile names one of the run's.
func aProfile(t testing.TB) string {
	t.Helper()
	list, err := os.ReadDir("../docs/testdata/xen/profiles")
	must(t, err)
	return list[0].Name()
}

func TestHostile(t *testing.T) {
	good, err := Open(goodRun(t))
	must(t, err)
	for _, c := range hostile {
		t.Run(c.name, func(t *testing.T) {
			dir := goodRun(t)
			c.make(t, dir)
			before := allocated()
			run, err := Open(dir)
			must(t, err)
			_, problems, err := ReadProfiles(dir)
			must(t, err)
			// The most is taken by 2 MiB of samples without anything.
			if mib := (allocated() - before) >> 20; mib > 250 {
				t.Errorf("%d MiB were allocated", mib)
			}
			if len(run.Samples) != len(good.Samples) {
				t.Errorf("%d samples, want %d", len(run.Samples), len(good.Samples))
			}
			for _, s := range run.Samples {
				if s.Build == "secret" {
					t.Fatal("a sample is of a file outside of the run")
				}
			}
			said := printed(t, append(run.Problems, problems...))
			if c.want == "" && said != nil || c.want != "" && (len(said) != 1 || !strings.Contains(said[0], c.want)) {
				t.Errorf("said %q, want %q", said, c.want)
			}
		})
	}
}

// printed are problems as they are printed, each in one line of characters that
// do nothing.
func printed(t *testing.T, problems []Problem) (all []string) {
	t.Helper()
	for _, p := range problems {
		text := p.String()
		if strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || r == unicode.ReplacementChar }) {
			t.Errorf("%q has control characters", text)
		}
		if !p.Note {
			all = append(all, text)
		}
	}
	return all
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// TestHostileRecord: a run.json that is none is an error in one line, soon.
func TestHostileRecord(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(t *testing.T, dir, path string)
		want string
	}{
		{"absent", func(*testing.T, string, string) {}, "it has no run.json"},
		{"a link out of it", func(t *testing.T, _, path string) { must(t, os.Symlink(elsewhere(t, "run.json"), path)) },
			"run.json is a symbolic link out of the run directory, which is not followed"},
		{"a link to a device", func(t *testing.T, _, path string) { must(t, os.Symlink("/dev/zero", path)) },
			"run.json is a symbolic link out of the run directory"},
		{"a pipe", func(t *testing.T, _, path string) { must(t, syscall.Mkfifo(path, 0o666)) }, "not a regular file"},
		{"a folder", func(t *testing.T, _, path string) { must(t, os.Mkdir(path, 0o777)) }, "not a regular file"},
		{"large", func(t *testing.T, _, path string) { sparse(t, path, 1<<40) }, "larger than 16 MiB"},
		{"nested", func(t *testing.T, _, path string) {
			must(t, os.WriteFile(path, []byte(strings.Repeat(`{"spec":`, 1<<20)), 0o644))
		}, "exceeded max depth"},
		{"no UTF-8", func(t *testing.T, _, path string) { must(t, os.WriteFile(path, []byte("\xff\xfe{\x00"), 0o644)) }, "invalid character"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := goodRun(t)
			path := filepath.Join(dir, "run.json")
			must(t, os.Remove(path))
			c.make(t, dir, path)
			done := make(chan error, 1)
			go func() {
				_, err := ReadRun(dir)
				done <- err
			}()
			select {
			case err := <-done:
				if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
					t.Errorf("error %v, want %q", err, c.want)
				}
			case <-time.After(30 * time.Second):
				t.Fatal("it stands still")
			}
		})
	}
}

// TestHostileWriting: who goes on with a run that others made writes into it
// alone.
func TestHostileWriting(t *testing.T) {
	for _, c := range []struct{ name, link string }{
		{"the lock", "lock"},
		{"the samples", "results/flask-amd64-dom0.txt"},
		{"the folder of samples", "results"},
		{"the folder of consoles", "console"},
		{"a console", "console/0099-flask.log"},
		{"the folder of profiles", "profiles"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := goodRun(t)
			must(t, os.MkdirAll(filepath.Join(dir, "console"), 0o777))
			outside := t.TempDir()
			file := filepath.Join(outside, "precious")
			must(t, os.WriteFile(file, []byte("precious"), 0o666))
			to := outside
			if strings.Contains(c.link, "/") || c.link == "lock" {
				to = file
			}
			path := filepath.Join(dir, filepath.FromSlash(c.link))
			must(t, os.RemoveAll(path))
			must(t, os.Symlink(to, path))
			d, err := Resume(dir)
			if err == nil {
				d.Close()
			}
			if err == nil || !strings.Contains(err.Error(), "symbolic link") || !strings.Contains(err.Error(), "remove it") {
				t.Errorf("error %v", err)
			}
			if text, err := os.ReadFile(file); string(text) != "precious" {
				t.Errorf("outside of the run there is %q now, %v", text, err)
			}
			if list, err := os.ReadDir(outside); len(list) != 1 {
				t.Errorf("outside of the run there are %v now, %v", list, err)
			}
		})
	}
	// A directory that is no run yet may have been prepared as well.
	dir := t.TempDir()
	must(t, os.Symlink(t.TempDir(), filepath.Join(dir, "results")))
	if d, err := Create(dir, Run{Spec: Spec{Builds: []hv.Build{{Name: "a"}}}}); err == nil || !strings.Contains(err.Error(), "symbolic link") {
		t.Errorf("create: %v", err)
		d.Close()
	}
}

func TestSubfolder(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "there"), 0o777))
	must(t, os.Symlink(t.TempDir(), filepath.Join(dir, "link")))
	must(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o666))
	for name, ok := range map[string]bool{"there": true, "absent": true, "link": false, "file": false} {
		if got, err := Subfolder(dir, name); (err == nil) != ok || ok && got != filepath.Join(dir, name) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// TestFiles: what a history keeps of a run is of the run.
func TestFiles(t *testing.T) {
	dir := goodRun(t)
	files, err := Files(dir)
	must(t, err)
	if len(files) < 3 || files["run.json"] == nil {
		t.Errorf("%d files", len(files))
	}
	must(t, os.Symlink(elsewhere(t, "results/dummy-amd64-dom0.txt"), filepath.Join(dir, "results", "x.txt")))
	if _, err := Files(dir); err == nil || !strings.Contains(err.Error(), "symbolic link out of the run directory") {
		t.Errorf("error %v", err)
	}
}

// TestGuess: how many boots a file has is guessed by its beginning, and a
// beginning that is like nothing that follows makes no file large.
func TestGuess(t *testing.T) {
	beginning := strings.Repeat("\n# boot: boot=1", 20000)
	for _, c := range []struct {
		name string
		size int64
		want int
	}{
		{"all of it", int64(len(beginning)), 20000},
		{"twice as much", 2 * int64(len(beginning)), 40000},
		{"beyond measure", 1 << 40, mostGuessed},
	} {
		path := filepath.Join(t.TempDir(), "x.txt")
		sparse(t, path, c.size)
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		must(t, err)
		_, err = f.WriteString(beginning)
		must(t, errors.Join(err, f.Close()))
		got, err := (&file{path: path}).guess()
		if must(t, err); math.Abs(float64(got-c.want)) > 0.01*float64(c.want) {
			t.Errorf("%s: %d boots, want about %d", c.name, got, c.want)
		}
	}
}

// TestManyProfiles: files that are each small enough are bounded together.
func TestManyProfiles(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "profiles"), 0o777))
	part := append([]byte{6<<3 | 2, 0x80, 0x80, 0x40}, make([]byte, 1<<20)...) // a string
	text := bomb(t, part, len(part))
	for i := range mostProfiles>>20 + 5 {
		must(t, os.WriteFile(filepath.Join(dir, "profiles", fmt.Sprintf("%04d.pb.gz", i)), text, 0o644))
	}
	list, problems, err := ReadProfiles(dir)
	if err != nil || len(list) != 0 {
		t.Fatalf("%d profiles, %v", len(list), err)
	}
	last := problems[len(problems)-1]
	if want := "its files unpack to more than 256 MiB; the last 5 of 261 are not read"; !strings.Contains(last.Text, want) {
		t.Errorf("%d problems, the last: %s", len(problems), last)
	}
}
