package xen

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xsmbench/hv/store"
	"xsmbench/hv/xen/debian"
	"xsmbench/hv/xen/faketools"
)

// bzImage is a kernel's image with a payload that is not compressed.
func bzImage(payload string) []byte {
	const sector, setup = 512, 1
	image := make([]byte, (setup+1)*sector)
	image[0x1f1] = setup
	copy(image[0x202:], "HdrS")
	binary.LittleEndian.PutUint16(image[0x206:], 0x20f)
	binary.LittleEndian.PutUint32(image[0x24c:], uint32(len(payload)+4))
	return append(image, payload+"size"...)
}

// debianArchive offers all that the guests are made of, with one kernel.
func debianArchive(t *testing.T) *faketools.Apt {
	t.Helper()
	a := faketools.NewApt(t)
	for _, name := range packages {
		a.Offer(name, "1", nil, map[string][]byte{"usr/share/doc/" + name: nil})
	}
	toolstack := map[string][]byte{"usr/share/doc/xen": []byte("not taken")}
	for _, f := range toolstackFiles {
		toolstack[f] = elfFile(".text", f)
	}
	a.Offer("xen-utils-4.17", "4.17.1", nil, toolstack)
	offerKernel(a, "6.1.0-1")
	return a
}

// offerKernel makes a kernel the current one.
func offerKernel(a *faketools.Apt, version string) {
	name := "linux-image-" + version + "-amd64"
	files := map[string][]byte{"boot/vmlinuz-" + version: bzImage("\x7fELF " + version)}
	for _, m := range modules {
		files["lib/modules/"+version+"/kernel/"+m+".ko"] = elfFile(".modinfo", "depends=\x00")
	}
	a.Offer(name, version, nil, files)
	a.Offer(kernelPackage, version, []string{"linux-base", name}, nil)
}

func packageStore(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// on is the archive's machine on a day of a test's calendar.
func on(a *faketools.Apt, day int) debian.Machine {
	return debian.Machine{Etc: a.Etc, Now: func() time.Time { return time.Date(2024, 2, day, 12, 0, 0, 0, time.UTC) }}
}

func partsOn(t *testing.T, s *store.Store, a *faketools.Apt, day int) *parts {
	t.Helper()
	p, err := makeParts(t.Context(), s, on(a, day), func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// kernelIs compares what the parts' kernel is.
func kernelIs(t *testing.T, p *parts, version string) {
	t.Helper()
	if text, err := os.ReadFile(p.vmlinux); err != nil || string(text) != "\x7fELF "+version {
		t.Errorf("kernel %q, %v, want %s", text, err, version)
	}
	if want := "linux-image-" + version + "-amd64_" + version + "_amd64.deb"; !slices.Contains(p.versions, want) {
		t.Errorf("versions %v, want one that is %s", p.versions, want)
	}
}

func TestParts(t *testing.T) {
	a, s := debianArchive(t), packageStore(t)
	p := partsOn(t, s, a, 1)
	kernelIs(t, p, "6.1.0-1")
	if len(p.versions) != len(packages)+1 || p.vmlinuxHash == "" {
		t.Errorf("parts %+v", p)
	}
	found, err := p.root.Modules(modules...)
	if err != nil || len(found) != len(modules) {
		t.Errorf("modules %v, %v", found, err)
	}
	for _, name := range toolstackFiles {
		if _, err := os.Stat(string(p.root) + "/" + name); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(string(p.root) + "/usr/share/doc/xen"); err == nil {
		t.Error("more was taken than the guests need")
	}
}

// Parts are those of the newest packages, and those of the same packages are
// the same.
func TestPartsOfNewKernel(t *testing.T) {
	a, s := debianArchive(t), packageStore(t)
	first := partsOn(t, s, a, 1)
	for _, day := range []int{1, 2} {
		if p := partsOn(t, s, a, day); p.root != first.root {
			t.Errorf("day %d: parts of the same packages at %s and %s", day, first.root, p.root)
		}
	}
	if n := a.Calls("download -qq"); n != 1 {
		t.Errorf("the same packages were fetched %d times", n)
	}
	if n := a.Calls("download --print-uris"); n != 2 {
		t.Errorf("the archive was asked for versions %d times on 2 days", n)
	}
	offerKernel(a, "6.1.0-2")
	kernelIs(t, partsOn(t, s, a, 2), "6.1.0-1") // as the day's index has it
	kernelIs(t, partsOn(t, s, a, 3), "6.1.0-2")
	if n := a.Calls("download -qq"); n != 2 {
		t.Errorf("two kernels were fetched by %d calls", n)
	}
	// What is in use stays.
	if _, err := s.Prune(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Clear(); err != nil {
		t.Fatal(err)
	}
	kernelIs(t, first, "6.1.0-1")
	if _, err := first.root.Modules(modules...); err != nil {
		t.Error(err)
	}
}

func TestPartsAtOnce(t *testing.T) {
	a := debianArchive(t)
	for i := range 5 {
		s := packageStore(t)
		var group sync.WaitGroup
		for range 2 {
			group.Go(func() {
				if _, err := makeParts(t.Context(), s, on(a, 1), func(string) {}); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if updates, fetched := a.Calls("update"), a.Calls("download -qq"); updates != i+1 || fetched != i+1 {
			t.Fatalf("after %d tries: %d indexes, %d times packages", i+1, updates, fetched)
		}
	}
}

func TestPartsWithoutNetwork(t *testing.T) {
	a, s := debianArchive(t), packageStore(t)
	first := partsOn(t, s, a, 1)
	a.Write("complaint", "E: Temporary failure resolving 'archive.example'\n")
	var said []string
	p, err := makeParts(t.Context(), s, on(a, 5), func(word string) { said = append(said, word) })
	if err != nil || p.root != first.root {
		t.Fatalf("parts %+v, %v", p, err)
	}
	if d := cmp.Diff([]string{
		"fetching the index of packages",
		"fetch the package index: apt-get: exit status 100: E: Temporary failure resolving 'archive.example'; the index of 2024-02-01 is used",
	}, said); d != "" {
		t.Error(d)
	}
	if _, err := makeParts(t.Context(), packageStore(t), on(a, 5), func(string) {}); err == nil || !strings.Contains(err.Error(), "E: Temporary failure resolving") {
		t.Errorf("error %v without any index", err)
	}
}

func TestPartsErrors(t *testing.T) {
	const kernel = "linux-image-6.1.0-1-amd64"
	tests := []struct {
		name  string
		spoil func(a *faketools.Apt)
		want  string
	}{
		{"another file", func(a *faketools.Apt) { a.Write("pool/libc6_1_amd64.deb", "evil") }, "libc6_1_amd64.deb is not the file that the archive's index names"},
		{"a file is gone", func(a *faketools.Apt) { a.Delete("pool/libc6_1_amd64.deb") }, "E: Failed to fetch"},
		{"no kernel", func(a *faketools.Apt) { a.Offer(kernelPackage, "2", []string{"linux-base"}, nil) }, "look up package linux-image-amd64: it depends on no kernel: [linux-base]"},
		{"a kernel that is not there", func(a *faketools.Apt) { a.Offer(kernelPackage, "2", []string{"linux-image-7"}, nil) }, "E: Unable to locate package linux-image-7"},
		{"fewer files", func(a *faketools.Apt) { a.Write("during-download", `first="$1 $2 $3"; shift 4; set -- $first "$@"`) }, "look up packages: asked for 27, the archive names 26 files"},
		{"no image", func(a *faketools.Apt) { a.Offer(kernel, "2", nil, map[string][]byte{"lib/modules/x": nil}) }, "package " + kernel + " has 0 kernels"},
		{"no kernel in the image", func(a *faketools.Apt) {
			a.Offer(kernel, "2", nil, map[string][]byte{"boot/vmlinuz-6": []byte("MZ")})
		}, "not a Linux bzImage"},
		{"no modules", func(a *faketools.Apt) {
			a.Offer(kernel, "2", nil, map[string][]byte{"boot/vmlinuz-6": bzImage("\x7fELF"), "lib/modules/6/x": nil})
		}, "find kernel module xenfs: not in the kernel's package"},
		{"no toolstack", func(a *faketools.Apt) { a.Offer("xen-utils-4.17", "2", nil, nil) }, "find libraries of " + toolstackFiles[0]},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, s := debianArchive(t), packageStore(t)
			tt.spoil(a)
			_, err := makeParts(t.Context(), s, on(a, 1), func(string) {})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

// A fetch that is cut short leaves nothing that the next one takes for whole.
func TestPartsCancelled(t *testing.T) {
	a, s := debianArchive(t), packageStore(t)
	a.Pipe("begun")
	a.Pipe("never")
	a.Write("during-download", `case $2 in -qq) echo begun >"$control/begun"; read _ <"$control/never" ;; esac`)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		a.Hear("begun")
		cancel()
	}()
	if _, err := makeParts(ctx, s, on(a, 1), func(string) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	a.Delete("during-download")
	kernelIs(t, partsOn(t, s, a, 1), "6.1.0-1")
}
