//go:build linux && amd64 && !race

package linux_test

import (
	"errors"
	"math"
	"os"
	"os/exec"
	"strings"
	"testing"

	"xsmbench/abi"
	"xsmbench/bench"
	"xsmbench/hv/xen/domain/linux"
	"xsmbench/internal/require"
	"xsmbench/workloads/kernbench"
)

// builder counts the programs that are started.
type builder struct {
	*linux.OS
	spawned []string
}

func (b *builder) Spawn(dir string, argv ...string) (int, error) {
	b.spawned = append(b.spawned, argv[len(argv)-1])
	return b.OS.Spawn(dir, argv...)
}

// building is a domain with such an OS.
type building struct {
	domain
	builder *builder
}

func (d building) OS() bench.OS { return d.builder }

// compilers are those of this machine.
func compilers(t *testing.T) (paths []string) {
	t.Helper()
	for _, name := range []string{"tcc", "gcc"} {
		if path, err := exec.LookPath(name); err == nil {
			paths = append(paths, path)
		}
	}
	if paths == nil {
		require.Program(t, "gcc", "gcc")
	}
	return paths
}

// openBuilder opens an OS that has a compiler.
func openBuilder(t *testing.T, compiler string) building {
	t.Helper()
	c := configOf(t, portable)
	c.Compiler = compiler
	o := openConfig(t, c)
	return building{domain{o}, &builder{OS: o}}
}

// TestKernbench compiles the small tree at every load, timed or in marked windows,
// with every compiler that is there: so many processes, and all figures. The benchmark
// itself looks for the objects, and for the functions in the image.
func TestKernbench(t *testing.T) {
	list, err := bench.Select("^Kbench/kernbench/.*" + kernbench.Compiled + "$")
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 3 {
		t.Errorf("%d loads, want 3", len(list))
	}
	for _, cc := range compilers(t) {
		for i, b := range list {
			t.Run(b.Name, func(t *testing.T) {
				o := bench.Options{Quick: true}
				if i == 1 {
					o.Windows = 1
				}
				compile(t, openBuilder(t, cc), b, o)
			})
		}
	}
}

// compile measures one load: a build to warm up, and one that counts.
func compile(t *testing.T, d building, b bench.Benchmark, o bench.Options) {
	t.Helper()
	const processes = 12 + 1 // sources of the small tree, and the link
	m, err := bench.Measure(d, b, o, bench.Calibration{})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(d.builder.spawned); n != 2*processes {
		t.Errorf("%d processes were started, not %d", n, 2*processes)
	}
	for _, v := range m.Values {
		if v.Value < 0 || math.IsNaN(v.Value) || math.IsInf(v.Value, 0) {
			t.Errorf("%v %s", v.Value, v.Unit)
		}
	}
	f, ok := kernbench.FiguresOf(m.Values)
	switch {
	case o.Windows > 0 && len(m.Windows) != o.Windows:
		t.Errorf("%d windows, not %d", len(m.Windows), o.Windows)
	case o.Windows == 0 && (!ok || f.Elapsed <= 0 || f.User+f.System <= 0 || f.Sleeps <= 0):
		t.Errorf("figures %+v", f)
	}
}

// TestBuilder: directories, programs and what they say of themselves.
func TestBuilder(t *testing.T) {
	sh := require.Program(t, "sh", "dash")
	o := open(t, false)
	const dir = "/tmp/made"
	if err := o.Mkdir(dir); err != nil {
		t.Fatal(err)
	}
	if err := o.Mkdir(dir); err != abi.EEXIST {
		t.Errorf("made twice: %v", err)
	}
	// The program works in the directory, and finds an environment of its own.
	t.Setenv("CCACHE_DISABLE", "0")
	pid, err := o.Spawn(dir, sh, "-c", `test "$CCACHE_DISABLE" = 1 && echo made >here && exit 7`)
	if err != nil {
		t.Fatal(err)
	}
	used := o.Used()
	if got, status, err := o.Reap(); got != pid || status != 7 || err != nil {
		t.Errorf("process %d ended with %d, %v; want %d with 7", got, status, err, pid)
	}
	if now := o.Used(); now.Sub(used).MinorFaults < 10 {
		t.Errorf("used %+v, and then %+v: a program's faults are missing", used, now)
	}
	if _, _, err := o.Reap(); err != abi.ECHILD {
		t.Errorf("another child: %v", err)
	}
	if _, err := o.Spawn(dir, "/no/such/program"); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "start /no/such/program") {
		t.Errorf("a program that does not exist: %v", err)
	}
	if err := o.Rmdir(dir); err == nil {
		t.Error("a directory with a file is removed")
	}
	if err := errors.Join(o.Sync(dir), o.Unlink(dir+"/here"), o.Rmdir(dir)); err != nil {
		t.Error(err)
	}
	if err := o.Sync(dir); err != abi.ENOENT {
		t.Errorf("synced what is gone: %v", err)
	}
	if n := o.Processors(); n < 1 {
		t.Errorf("%d processors", n)
	}
	if o.Compiler() != "" || bench.Has(o, bench.Compiling) {
		t.Error("an OS without a compiler has one")
	}
}
