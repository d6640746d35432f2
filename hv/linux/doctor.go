package linux

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"xsmbench/hv"
	"xsmbench/hv/child"
	"xsmbench/hv/gotool"
)

// Doctor looks for the Go tool, the store, and the C library.
func (t *Target) Doctor(ctx context.Context, b hv.Build) []hv.Finding {
	return []hv.Finding{t.doctorSystem(b), t.doctorGo(ctx), t.doctorStore(), t.doctorLibrary(ctx), t.doctorCompiler(ctx)}
}

func (t *Target) doctorSystem(b hv.Build) hv.Finding {
	f := hv.Finding{What: "kernel"}
	if err := t.Starts(b, ""); err != nil {
		f.Detail = err.Error()
		return f
	}
	k, err := readKernel("/proc")
	if err != nil {
		f.Detail = err.Error()
		return f
	}
	f.OK, f.Detail = true, k.release
	return f
}

func (t *Target) doctorGo(ctx context.Context) hv.Finding {
	f := hv.Finding{What: "Go tool"}
	g, err := gotool.Find("", t.Arches()[0])
	if err != nil {
		f.Detail = err.Error() + "; the agent cannot be built"
		f.Mend = "install Go from https://go.dev/dl"
		return f
	}
	env, err := g.Env(ctx)
	if err != nil {
		f.Detail = err.Error()
		return f
	}
	f.OK, f.Detail = true, fmt.Sprintf("%s, %s", env["GOVERSION"], g.Path)
	return f
}

func (t *Target) doctorStore() hv.Finding {
	f := hv.Finding{What: "store", Mend: "set XDG_CACHE_HOME to a directory that can be written"}
	s, err := t.opened()
	switch {
	case err != nil:
		f.Detail = err.Error() + "; the agent cannot be built"
	case s.ReadOnly():
		f.Detail = s.Dir() + " can be read, not written; an agent that is not in it cannot be built"
	default:
		f.OK, f.Mend, f.Detail = true, "", s.Dir()
	}
	return f
}

func (t *Target) doctorLibrary(ctx context.Context) hv.Finding {
	f := hv.Finding{What: "C library (fork and exec as lmbench has them)", Advice: true}
	if !t.hasLibrary() {
		f.Detail = "no " + t.interpreter + "; benchmarks with /process=dynamic are left out"
		return f
	}
	f.OK, f.Detail = true, libraryText(ctx)
	return f
}

func (t *Target) doctorCompiler(ctx context.Context) hv.Finding {
	f := hv.Finding{What: "C compiler (kernbench)", Advice: true}
	cc := t.compiler()
	if cc == "" {
		f.Detail = fmt.Sprintf("none of %s; kernbench is left out", strings.Join(t.compilers, ", "))
		f.Mend, f.Packages = "apt-get install tcc (or gcc)", []string{"tcc"}
		return f
	}
	f.OK, f.Detail = true, compilerText(ctx, cc)
	return f
}

// compilerText is a compiler with its version: the first line that it says of itself.
func compilerText(ctx context.Context, path string) string {
	option := "--version"
	if filepath.Base(path) == "tcc" {
		option = "-v" // of tcc, of which some know no other
	}
	out, err := child.Output(exec.CommandContext(ctx, path, option))
	line, _, _ := strings.Cut(string(out), "\n")
	if err != nil || strings.TrimSpace(line) == "" {
		return path + ", of unknown version"
	}
	return fmt.Sprintf("%s (%s)", path, strings.TrimSpace(line))
}

// libraryText is the C library and its version.
func libraryText(ctx context.Context) string {
	path, err := exec.LookPath("getconf")
	if err == nil {
		var out []byte
		if out, err = child.Output(exec.CommandContext(ctx, path, "GNU_LIBC_VERSION")); err == nil && len(out) > 0 {
			return strings.TrimSpace(string(out))
		}
	}
	return "C library of unknown version"
}
