package xen

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xsmbench/hv/store"
	"xsmbench/hv/xen/debian"
	"xsmbench/hv/xen/faketools"
	"xsmbench/hv/xen/protocol"
)

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

// guestParts are what the guests are made of.
type guestParts struct {
	*kernel
	tools     *toolstack
	equipment *equipment
}

func makeParts(ctx context.Context, s *store.Store, m debian.Machine, progress func(string)) (*guestParts, error) {
	k, err := makeKernel(ctx, s, m, progress)
	if err != nil {
		return nil, err
	}
	tools, err := makeToolstack(ctx, s, m, progress)
	return &guestParts{k, tools, nil}, err
}

func partsOn(t *testing.T, s *store.Store, a *faketools.Apt, day int) *guestParts {
	t.Helper()
	p, err := makeParts(t.Context(), s, on(a, day), func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// kernelIs compares what the parts' kernel is.
func kernelIs(t *testing.T, p *guestParts, version string) {
	t.Helper()
	if text, err := os.ReadFile(p.vmlinux); err != nil || !strings.HasSuffix(string(text), "kernel "+version) {
		t.Errorf("kernel %q, %v, want %s", text, err, version)
	}
	if want := "linux-image-" + version + "-amd64_" + version + "_amd64.deb"; !slices.Contains(p.packages, want) {
		t.Errorf("packages %v, want one that is %s", p.packages, want)
	}
}

func TestParts(t *testing.T) {
	a, s := faketools.NewDebian(t), packageStore(t)
	p := partsOn(t, s, a, 1)
	kernelIs(t, p, "6.1.0-1")
	if len(p.packages) != 1 || p.vmlinuxHash == "" {
		t.Errorf("kernel %+v", p.kernel)
	}
	found, err := p.root.Modules(t.Context(), modules...)
	if err != nil || len(found) != len(modules) {
		t.Errorf("modules %v, %v", found, err)
	}
	// The libraries' packages are those that the toolstack's depends on: not
	// python3, nor gcc-12-base.
	if want := "libc6 libgcc-s1 libuuid1 libxencall1 libxenmisc4.17 libxenstore4 libxentoollog1 xen-utils-4.17 zlib1g"; p.tools.version != "4.17" || packagesOf(p.tools) != want {
		t.Errorf("toolstack %s of %s, want %s", p.tools.version, packagesOf(p.tools), want)
	}
	want := []string{"lib/x86_64-linux-gnu/libgcc_s.so.1"}
	for _, name := range []string{"libxl-save-helper", "xen-init-dom0", "xenconsoled", "xenstored", "xl"} {
		want = append(want, protocol.ToolstackDir[1:]+"/"+name)
	}
	if d := cmp.Diff(want, filesBelow(t, string(p.tools.root))); d != "" {
		t.Errorf("the toolstack's files (-want +got):\n%s", d)
	}
}

// packagesOf are the names of a toolstack's packages.
func packagesOf(tools *toolstack) string {
	var names []string
	for _, f := range tools.packages {
		name, _, _ := strings.Cut(f, "_")
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

func filesBelow(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// The distribution may be a later one: Debian 13 has its directories below usr,
// and compressed modules.
func TestPartsOfDebian13(t *testing.T) {
	a, s := faketools.NewDebian(t), packageStore(t)
	if !a.Real("xz") {
		t.Skip("xz is not installed")
	}
	const version = "6.12.118+deb13-amd64"
	files := map[string][]byte{"boot/vmlinuz-" + version: faketools.BzImage(string(faketools.Program("kernel 6.12")))}
	for _, m := range modules {
		files["usr/lib/modules/"+version+"/kernel/drivers/xen/"+m+".ko.xz"] = compressed(t, elfFile(".modinfo", "name="+m+"\x00depends=\x00"))
	}
	a.Offer("linux-image-"+version, "1", nil, files)
	a.Offer(kernelPackage, "1", []string{"linux-image-" + version}, nil)
	a.Offer("libgcc-s1", "14", nil, map[string][]byte{"usr/lib/x86_64-linux-gnu/libgcc_s.so.1": elfFile(".text", "")})
	a.OfferToolstack("4.20", "libgcc-s1")
	p := partsOn(t, s, a, 1)
	if p.tools.version != "4.20" || packagesOf(p.tools) != "libgcc-s1 xen-utils-4.20" {
		t.Errorf("toolstack %s of %s", p.tools.version, packagesOf(p.tools))
	}
	for _, m := range modules {
		data, err := os.ReadFile(filepath.Join(string(p.root), "usr/lib/modules", version, "kernel/drivers/xen", m+".ko"))
		if err != nil || !bytes.HasPrefix(data, []byte("\x7fELF")) {
			t.Errorf("module %s: %q, %v", m, data[:min(4, len(data))], err)
		}
	}
}

// compressed is what xz makes of data.
func compressed(t *testing.T, data []byte) []byte {
	t.Helper()
	cmd := exec.Command("xz", "-c")
	cmd.Stdin = bytes.NewReader(data)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Parts are those of the newest packages, and those of the same packages are
// the same.
func TestPartsOfNewKernel(t *testing.T) {
	a, s := faketools.NewDebian(t), packageStore(t)
	first := partsOn(t, s, a, 1)
	for _, day := range []int{1, 2} {
		if p := partsOn(t, s, a, day); p.root != first.root {
			t.Errorf("day %d: parts of the same packages at %s and %s", day, first.root, p.root)
		}
	}
	if n := a.Calls("download -qq"); n != 2 { // the kernel, and the toolstack
		t.Errorf("the same packages were fetched %d times", n)
	}
	if n := a.Calls("download --print-uris"); n != 4 {
		t.Errorf("the archive was asked for versions %d times on 2 days", n)
	}
	a.OfferKernel("6.1.0-2")
	kernelIs(t, partsOn(t, s, a, 2), "6.1.0-1") // as the day's index has it
	kernelIs(t, partsOn(t, s, a, 3), "6.1.0-2")
	if n := a.Calls("download -qq"); n != 3 {
		t.Errorf("two kernels and a toolstack were fetched by %d calls", n)
	}
	// What is in use stays.
	if _, err := s.Prune(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Clear(); err != nil {
		t.Fatal(err)
	}
	kernelIs(t, first, "6.1.0-1")
	if _, err := first.root.Modules(t.Context(), modules...); err != nil {
		t.Error(err)
	}
}

func TestPartsAtOnce(t *testing.T) {
	a := faketools.NewDebian(t)
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
		if updates, fetched := a.Calls("update"), a.Calls("download -qq"); updates != i+1 || fetched != 2*(i+1) {
			t.Fatalf("after %d tries: %d indexes, %d times packages", i+1, updates, fetched)
		}
	}
}

func TestPartsWithoutNetwork(t *testing.T) {
	a, s := faketools.NewDebian(t), packageStore(t)
	first := partsOn(t, s, a, 1)
	a.Write("complaint", "E: Temporary failure resolving 'archive.example'\n")
	const older = "fetch the package index: apt-get: exit status 100: E: Temporary failure resolving 'archive.example'; the index of 2024-02-01 is used"
	var said []string
	p, err := makeParts(t.Context(), s, on(a, 5), func(word string) { said = append(said, word) })
	if err != nil || p.root != first.root {
		t.Fatalf("parts %+v, %v", p, err)
	}
	if d := cmp.Diff([]string{
		"fetching the index of packages", older, "fetching the index of packages", older, // for the kernel, and for the toolstack
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
		{"no kernel", func(a *faketools.Apt) { a.Offer(kernelPackage, "2", []string{"linux-base"}, nil) }, "look up package linux-image-amd64: it depends on none of those looked for: [linux-base]"},
		{"a kernel that is not there", func(a *faketools.Apt) { a.Offer(kernelPackage, "2", []string{"linux-image-7"}, nil) }, "E: Unable to locate package linux-image-7"},
		{"fewer files", func(a *faketools.Apt) {
			a.Write("during-download", `if [ $# -gt 4 ]; then first="$1 $2 $3"; shift 4; set -- $first "$@"; fi`)
		}, "look up packages: asked for 9, the archive names 8 files"},
		{"no image", func(a *faketools.Apt) { a.Offer(kernel, "2", nil, map[string][]byte{"lib/modules/x": nil}) }, "package " + kernel + ": it has 0 kernels"},
		{"no kernel in the image", func(a *faketools.Apt) {
			a.Offer(kernel, "2", nil, map[string][]byte{"boot/vmlinuz-6": []byte("MZ")})
		}, "not a Linux bzImage"},
		{"no modules", func(a *faketools.Apt) {
			a.Offer(kernel, "2", nil, map[string][]byte{"boot/vmlinuz-6": faketools.BzImage(string(faketools.Program("kernel"))), "lib/modules/6/x": nil})
		}, "find kernel module xenfs: not in the kernel's package"},
		{"no toolstack", func(a *faketools.Apt) {
			a.Offer(toolstackPackage, "2", []string{"xen-hypervisor-common", "xen-utils-common"}, nil)
		}, "look up package xen-system-amd64: it depends on none of those looked for: [xen-hypervisor-common xen-utils-common]"},
		{"no programs", func(a *faketools.Apt) { a.Offer("xen-utils-4.17", "2", nil, nil) }, "package xen-utils-4.17: it has 0 programs xl"},
		{"a library is missing", func(a *faketools.Apt) { a.Offer("libgcc-s1", "2", nil, nil) }, "package xen-utils-4.17: libgcc_s.so.1 is not in "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, s := faketools.NewDebian(t), packageStore(t)
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
	a, s := faketools.NewDebian(t), packageStore(t)
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
