// Package linux is this machine itself as a target: no hypervisor, no domain, the
// kernel that runs. The agent of Xen's guests measures as a plain process, by the
// clock. Nothing needs root, and nothing is left behind: files lie in a folder of
// the store that is removed, and processes end with this one (package child).
//
// There is one way of building it, the kernel as it is. A second build is the same
// kernel under another name, which is a control; other kernels are compared by
// runs, one on each.
package linux

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/hv/process"
	"xsmbench/hv/store"
	"xsmbench/hv/xen/domain/native"
	"xsmbench/hv/xen/protocol"
)

func init() { hv.Register(New()) }

// name is that of the target and of its only kind.
const name = "linux"

// Target is this machine.
type Target struct {
	limits process.Limits
	opened func() (*store.Store, error)
	// interpreter is the C library's dynamic linker.
	interpreter string
	// compilers are the C compilers that are looked for, the first that is there
	// compiles.
	compilers []string

	mu   sync.Mutex
	held map[string]*store.Entry // in use until this process ends, by folder
}

// New returns a target that has the user's store, opened when it is first needed.
func New() *Target {
	return &Target{
		limits:      process.Limits{Hello: 60 * time.Second, Silence: 120 * time.Second},
		opened:      sync.OnceValues(store.Default),
		interpreter: native.Interpreter,
		compilers:   []string{"tcc", "gcc", "cc"},
		held:        map[string]*store.Entry{},
	}
}

// Name is "linux".
func (*Target) Name() string { return name }

// Doc describes the target in one line.
func (*Target) Doc() string {
	return "this machine's own kernel, without a hypervisor: the lmbench suite as a process, timed; needs only Go"
}

// Kinds is the kernel as it is.
func (*Target) Kinds() []hv.Kind {
	return []hv.Kind{{Name: name, Doc: "the kernel that this machine runs", Dispatch: "no hypervisor"}}
}

// Arches is amd64: the native loops are machine code for it.
func (*Target) Arches() []string { return []string{"amd64"} }

// Hooks are none: there is no hypervisor.
func (*Target) Hooks() []string { return nil }

// Hook knows nothing of any.
func (*Target) Hook(string) hv.HookNote { return hv.HookNote{} }

// Accels has none.
func (*Target) Accels() []string { return []string{""} }

// Units are those of the benchmarks.
func (t *Target) Units() []string { return hv.UnitsOf(t, "ns/op", "MB/s") }

// MostLayouts is 0: nothing is relinked.
func (*Target) MostLayouts() int { return 0 }

// UsualBuilds is the kernel, named by its release: runs of two kernels then compare.
func (*Target) UsualBuilds() []string {
	k, err := readKernel("/proc")
	release := strings.Trim(notInNames.ReplaceAllString(k.release, "-"), "-")
	if err != nil || release == "" {
		return []string{name}
	}
	return []string{release + "=" + name}
}

// notInNames is what a release may have and a build's name may not.
var notInNames = regexp.MustCompile(`[^A-Za-z0-9._+]+`)

// MeasuredDomains is the host.
func (*Target) MeasuredDomains() []string { return []string{protocol.HostDomain} }

// UsualSuite is all of lmbench.
func (*Target) UsualSuite() string { return bench.FullSuite }

// Starts fails where this is not Linux on an x86_64 processor.
func (*Target) Starts(hv.Build, string) error {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return fmt.Errorf("target linux measures Linux on x86_64; this is %s on %s", runtime.GOOS, runtime.GOARCH)
	}
	return nil
}

// Reasons for which benchmarks are refused, by how their names begin.
var refused = []struct{ prefix, reason string }{
	{"Kbench/hypercall/", "there is no hypervisor below this kernel to call"},
}

// Offers reports whether the agent can run a benchmark here.
func (t *Target) Offers(b bench.Benchmark) bool { return t.Refuses(b) == "" }

// Refuses says why a benchmark cannot run here, "" if it can.
func (t *Target) Refuses(b bench.Benchmark) string {
	for _, r := range refused {
		if strings.HasPrefix(b.FullName(), r.prefix) {
			return r.reason
		}
	}
	switch {
	case b.Programs:
		return "its programs exist in the model's guests only"
	case b.Lacking(t.builds) != "":
		return fmt.Sprintf("this machine has no C compiler (%s)", strings.Join(t.compilers, ", "))
	case b.NeedsPeer || b.NeedsEcho:
		return "there is no other domain"
	case b.Lacking(has) != "":
		return fmt.Sprintf("it needs %s, which this target does not take from the machine", b.Lacking(has))
	case b.Dom0Only:
		return "there is no control domain"
	case b.Dynamic() && !t.hasLibrary():
		return "this machine has no " + t.interpreter + ", the dynamic linker of the GNU C library"
	}
	return ""
}

// has reports what the agent has beside bench.OS as it is started here: everything
// but a disk, on which it would write, and what lies between domains.
func has(f bench.Facility) bool {
	return !slices.Contains([]bench.Facility{bench.Disks, bench.BlockIO, bench.Neighbours, bench.Domains}, f)
}

// builds reports whether a benchmark's need for a compiler is met.
func (t *Target) builds(f bench.Facility) bool { return f != bench.Compiling || t.compiler() != "" }

// compiler is the path of the machine's C compiler, "" if it has none.
func (t *Target) compiler() string {
	for _, name := range t.compilers {
		if path, err := exec.LookPath(name); err == nil {
			if path, err = filepath.Abs(path); err == nil {
				return path
			}
		}
	}
	return ""
}

// hasLibrary reports whether programs can be linked with the C library.
func (t *Target) hasLibrary() bool {
	_, err := os.Stat(t.interpreter)
	return err == nil
}
