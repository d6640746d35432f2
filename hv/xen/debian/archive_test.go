package debian

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xsmbench/hv/store"
	"xsmbench/hv/xen/faketools"
)

// day is a moment of a test's calendar.
func day(n int) func() time.Time {
	return func() time.Time { return time.Date(2024, 2, n, 12, 0, 0, 0, time.UTC) }
}

func openStore(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func silent(string) {}

// archive opens the archive on a day.
func archive(t *testing.T, a *faketools.Apt, s *store.Store, n int, kind Kind) *Archive {
	t.Helper()
	opened, err := Machine{Etc: a.Etc, Now: day(n)}.Open(t.Context(), s, kind, silent)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(opened.Close)
	return opened
}

func names(t *testing.T, a *Archive, packages ...string) []string {
	t.Helper()
	files, err := a.Files(t.Context(), packages...)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
	}
	return names
}

func TestIndexOfEachDay(t *testing.T) {
	a, s := faketools.NewApt(t), openStore(t)
	a.Offer("linux", "1", nil, nil)
	first := archive(t, a, s, 1, Binary)
	a.Offer("linux", "2", nil, nil)
	for _, tt := range []struct {
		day  int
		want string
	}{{1, "linux_1_amd64.deb"}, {2, "linux_2_amd64.deb"}, {1, "linux_1_amd64.deb"}} {
		got := archive(t, a, s, tt.day, Binary)
		if d := cmp.Diff([]string{tt.want}, names(t, got, "linux")); d != "" {
			t.Errorf("day %d: %s", tt.day, d)
		}
		if same := got.Index() == first.Index(); same != (tt.day == 1) {
			t.Errorf("day %d: the index of the first day: %v", tt.day, same)
		}
	}
	if n := a.Calls("-o"); n != 0 {
		t.Errorf("the fake did not understand %d calls", n)
	}
	if n := a.Calls("update"); n != 2 {
		t.Errorf("%d indexes were fetched on two days", n)
	}
	// Another kind of package is another index.
	archive(t, a, s, 1, Source)
	if n := a.Calls("update"); n != 3 {
		t.Errorf("%d indexes were fetched", n)
	}
}

func TestOlderIndex(t *testing.T) {
	a, s := faketools.NewApt(t), openStore(t)
	a.Offer("linux", "1", nil, nil)
	archive(t, a, s, 1, Binary)
	a.Offer("linux", "2", nil, nil)
	archive(t, a, s, 2, Binary)
	a.Write("complaint", "W: it began well\nE: Could not resolve 'archive.example'\nE: more\n")
	var said []string
	old, err := Machine{Etc: a.Etc, Now: day(20)}.Open(t.Context(), s, Binary, func(word string) { said = append(said, word) })
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	if d := cmp.Diff([]string{"linux_2_amd64.deb"}, names(t, old, "linux")); d != "" {
		t.Error(d)
	}
	const word = "fetch the package index: apt-get: exit status 100: E: Could not resolve 'archive.example'; the index of 2024-02-02 is used"
	if !slices.Contains(said, word) {
		t.Errorf("said %q, want %q", said, word)
	}
	// One that is too old is none.
	late := func() time.Time { return day(2)().AddDate(0, 0, daysBack+1) }
	if _, err := (Machine{Etc: a.Etc, Now: late}).Open(t.Context(), s, Binary, silent); err == nil {
		t.Error("a very old index was used")
	}
}

// An index of another release is another one, for which the machine's
// preferences do not hold.
func TestIndexOfRelease(t *testing.T) {
	a, s := faketools.NewApt(t), openStore(t)
	a.Offer("linux", "1", nil, nil)
	machine := archive(t, a, s, 1, Binary)
	var said []string
	open := func(m Machine) *Archive {
		t.Helper()
		m.Etc, m.Now = a.Etc, day(1)
		opened, err := m.Open(t.Context(), s, Binary, func(word string) { said = append(said, word) })
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(opened.Close)
		return opened
	}
	trixie := open(Machine{Release: "trixie"})
	mirror := open(Machine{Release: "trixie", Archive: "http://mirror.example/debian"})
	if again := open(Machine{Release: "trixie"}); again.Index() != trixie.Index() {
		t.Error("one release has two indexes on a day")
	}
	if machine.Index() == trixie.Index() || trixie.Index() == mirror.Index() {
		t.Error("another release, or another archive, has the same index")
	}
	want := []string{"fetching the index of trixie's packages", "fetching the index of trixie's packages at http://mirror.example/debian"}
	if d := cmp.Diff(want, said); d != "" {
		t.Error(d)
	}
	const reset = "APT::Default-Release="
	if slices.Contains(machine.options, reset) || !slices.Contains(trixie.options, reset) || !slices.Contains(mirror.options, reset) {
		t.Errorf("options %v, %v, %v", machine.options, trixie.options, mirror.options)
	}
}

func TestNoIndex(t *testing.T) {
	a, s := faketools.NewApt(t), openStore(t)
	a.Write("complaint", "E: The repository is not signed.\n")
	_, err := Machine{Etc: a.Etc}.Open(t.Context(), s, Binary, silent)
	if want := "fetch the package index: apt-get: exit status 100: E: The repository is not signed."; err == nil || err.Error() != want {
		t.Errorf("error %v, want %q", err, want)
	}
	a.Delete("complaint")
	archive(t, a, s, 1, Binary)
}

func TestNoApt(t *testing.T) {
	faketools.New(t, nil)
	if _, err := (Machine{Etc: t.TempDir()}).Open(t.Context(), openStore(t), Binary, silent); !errors.Is(err, ErrNoTool) || !strings.HasPrefix(err.Error(), "apt-get: ") {
		t.Errorf("error %v", err)
	}
}

func TestOpenWithoutSources(t *testing.T) {
	faketools.NewApt(t)
	if _, err := (Machine{Etc: t.TempDir()}).Open(t.Context(), openStore(t), Binary, silent); !errors.Is(err, errNoSources) {
		t.Errorf("error %v", err)
	}
}

func TestOpenAtOnce(t *testing.T) {
	a, s := faketools.NewApt(t), openStore(t)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			opened, err := Machine{Etc: a.Etc, Now: day(1)}.Open(t.Context(), s, Binary, silent)
			if err != nil {
				t.Error(err)
				return
			}
			opened.Close()
		})
	}
	group.Wait()
	if n := a.Calls("update"); n != 1 {
		t.Errorf("the index was fetched %d times", n)
	}
}

func TestOpenCancelled(t *testing.T) {
	a, s := faketools.NewApt(t), openStore(t)
	archive(t, a, s, 1, Binary)
	a.Pipe("begun")
	a.Pipe("never")
	a.Write("during-update", `( read _ <"$control/never" ) & echo begun >"$control/begun"; wait`)
	cause := errors.New("the user had enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		a.Hear("begun")
		cancel(cause)
	}()
	if _, err := (Machine{Etc: a.Etc, Now: day(2)}).Open(ctx, s, Binary, silent); !errors.Is(err, cause) {
		t.Errorf("error %v", err)
	}
}

func TestFiles(t *testing.T) {
	a, s := faketools.NewApt(t), openStore(t)
	a.Offer("b", "1", nil, map[string][]byte{"f": []byte("b")})
	a.Offer("a", "2", []string{"b", "c"}, nil)
	opened := archive(t, a, s, 1, Binary)
	if d := cmp.Diff([]string{"a_2_amd64.deb", "b_1_amd64.deb"}, names(t, opened, "b", "a")); d != "" {
		t.Error(d)
	}
	if _, err := opened.Files(t.Context(), "nosuch"); err == nil || !strings.Contains(err.Error(), "look up packages: apt-get: exit status 100: E: Unable to locate package nosuch") {
		t.Errorf("error %v", err)
	}
	depends, err := opened.Depends(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"b", "c"}, depends); d != "" {
		t.Error(d)
	}
	if _, err := opened.Depends(t.Context(), "nosuch"); err == nil || !strings.Contains(err.Error(), "look up package nosuch: ") {
		t.Errorf("error %v", err)
	}
}

func TestUnpack(t *testing.T) {
	a, s := faketools.NewApt(t), openStore(t)
	a.Offer("a", "1", nil, map[string][]byte{"usr/a": []byte("a")})
	a.Offer("b", "1", nil, map[string][]byte{"usr/b": []byte("b")})
	opened := archive(t, a, s, 1, Binary)
	files, err := opened.Files(t.Context(), "a", "b")
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	if err := opened.Unpack(t.Context(), root, files, "a", "b"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		if text, err := os.ReadFile(filepath.Join(root, "usr", name)); err != nil || string(text) != name {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	// An archive that gives another file than its index says.
	a.Write("pool/b_1_amd64.deb", "evil")
	root = t.TempDir()
	err = opened.Unpack(t.Context(), root, files, "a", "b")
	if err == nil || !strings.Contains(err.Error(), "b_1_amd64.deb is not the file that the archive's index names: its SHA-256 is ") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(filepath.Join(root, "usr", "b")); err == nil {
		t.Error("the file was unpacked")
	}
	if err := opened.Unpack(t.Context(), root, []File{{"c_1_amd64.deb", "SHA256:0"}}, "a"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v of a file that did not come", err)
	}
	a.Add("dpkg-deb", "echo 'dpkg-deb: error: no space' >&2; exit 2\n")
	if err := opened.Unpack(t.Context(), root, files[:1], "a"); err == nil || !strings.Contains(err.Error(), "unpack a_1_amd64.deb: dpkg-deb: exit status 2: dpkg-deb: error: no space") {
		t.Errorf("error %v", err)
	}
}

// An archive that has removed what the day's index names gives a new index the
// next time, not only on the next day.
func TestOutdatedIndex(t *testing.T) {
	a, s := faketools.NewApt(t), openStore(t)
	a.Offer("linux", "1", nil, nil)
	opened := archive(t, a, s, 1, Binary)
	a.Offer("linux", "2", nil, nil)
	a.Delete("pool/linux_1_amd64.deb")
	files, err := opened.Files(t.Context(), "linux")
	if err != nil {
		t.Fatal(err)
	}
	if err := opened.Unpack(t.Context(), t.TempDir(), files, "linux"); err == nil || !strings.Contains(err.Error(), "E: Failed to fetch") || !strings.Contains(err.Error(), "404") {
		t.Errorf("error %v", err)
	}
	if d := cmp.Diff([]string{"linux_2_amd64.deb"}, names(t, archive(t, a, s, 1, Binary), "linux")); d != "" {
		t.Error(d)
	}
}

func TestSource(t *testing.T) {
	a, s := faketools.NewApt(t), openStore(t)
	a.OfferSource("xen", "4.17", map[string][]byte{"xen-4.17/xen/Makefile": []byte("all:\n")})
	opened := archive(t, a, s, 1, Source)
	files, err := opened.SourceFiles(t.Context(), "xen")
	if err != nil || len(files) != 1 || !strings.HasPrefix(files[0].String(), "xen_4.17.tar SHA256:") {
		t.Errorf("files %v, %v", files, err)
	}
	if _, err := opened.SourceFiles(t.Context(), "nosuch"); err == nil || !strings.Contains(err.Error(), "look up source package nosuch: ") {
		t.Errorf("error %v", err)
	}
	dir := t.TempDir()
	if err := opened.Source(t.Context(), dir, "xen"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "xen-4.17", "xen", "Makefile")); err != nil {
		t.Error(err)
	}
	a.Remove("dpkg-source")
	if err := opened.Source(t.Context(), dir, "xen"); !errors.Is(err, ErrNoTool) {
		t.Errorf("error %v without dpkg-source", err)
	}
}

func TestParseFiles(t *testing.T) {
	const good = "'http://a.example/pool/z_1%3a2_amd64.deb' z_1%3a2_amd64.deb 12 SHA256:ab\n"
	tests := []struct {
		name, out string
		want      []File
		err       string
	}{
		{"one", good, []File{{"z_1%3a2_amd64.deb", "SHA256:ab"}}, ""},
		{"sorted, with other lines", "Reading...\n" + good + "\n'u' a.deb 1 MD5Sum:cd extra\n", []File{{"a.deb", "MD5Sum:cd"}, {"z_1%3a2_amd64.deb", "SHA256:ab"}}, ""},
		{"none", "Reading...\n", nil, "names no file"},
		{"no digest", "'u' a.deb 12\n", nil, `names a file without its digest: "'u' a.deb 12"`},
		{"an empty digest", "'u' a.deb 12 x\n", nil, "without its digest"},
		{"outside", "'u' ../a.deb 12 SHA256:ab\n", nil, `outside of its directory: "../a.deb"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseFiles(tt.out)
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Fatalf("error %v, want %q", err, tt.err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func FuzzParseFiles(f *testing.F) {
	f.Add("'http://a.example/a.deb' a.deb 12 SHA256:ab\n'u' b 1 MD5Sum:c\n")
	f.Add("'\n' ' ' '\n'u' .. 1 :")
	f.Fuzz(func(t *testing.T, out string) {
		files, err := parseFiles(out)
		if (err == nil) != (len(files) > 0) {
			t.Fatalf("%d files, error %v", len(files), err)
		}
		for _, f := range files {
			if strings.Contains(f.Name, "/") || !strings.Contains(f.Digest, ":") || len(strings.Fields(f.String())) != 2 {
				t.Errorf("file %q of %q", f, out)
			}
		}
		if !slices.IsSortedFunc(files, func(a, b File) int { return strings.Compare(a.Name, b.Name) }) {
			t.Errorf("%v are not sorted", files)
		}
	})
}

// Libraries are followed, other dependencies are not; what is only provided is
// no package.
func TestLibraries(t *testing.T) {
	a, s := faketools.NewApt(t), openStore(t)
	for name, depends := range map[string][]string{
		"tools": {"libone1", "python3", "<python3:any>", "zlib1g"}, "libone1": {"libtwo2t64", "zlib1g"},
		"libtwo2t64": {"libone1", "gcc-base"}, "zlib1g": nil,
	} {
		a.Offer(name, "1", depends, nil)
	}
	opened := archive(t, a, s, 1, Binary)
	got, err := opened.Libraries(t.Context(), "tools")
	if d := cmp.Diff([]string{"libone1", "libtwo2t64", "zlib1g"}, got); d != "" || err != nil {
		t.Errorf("%v\n%s", err, d)
	}
	if _, err := opened.Libraries(t.Context(), "nosuch"); err == nil || !strings.Contains(err.Error(), "look up package nosuch: ") {
		t.Errorf("error %v", err)
	}
}

func FuzzParseDepends(f *testing.F) {
	f.Add("a\n  Depends: b\n |Depends: c\n  Depends: <d>\n    e\n")
	f.Fuzz(func(t *testing.T, out string) {
		names := parseDepends(out)
		for i, name := range names {
			if name != strings.TrimSpace(name) || strings.HasPrefix(name, "<") || i > 0 && names[i-1] >= name {
				t.Errorf("%q: %q", out, names)
			}
		}
	})
}
