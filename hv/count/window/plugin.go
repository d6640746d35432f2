// Package window counts the instructions of marked windows: what a guest
// executes between two marks, by who executed it and, within the hypervisor, by
// cell of its code and by the handler and the hook to which that is charged.
// The counting is done by a TCG plug-in, the one piece of C in this project;
// this package builds it and reads what it wrote.
package window

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"xsmbench/hv/child"
	"xsmbench/hv/count/code"
	"xsmbench/hv/store"
)

//go:embed plugin/window.c
var pluginSource []byte

// Marks is a domain's table of one-byte returns, by which its programs mark
// windows: executing the byte at Base+k begins window k, the last slot ends it.
type Marks struct {
	Domain string
	Base   uint64
	Slots  int
}

// plugins are compiled plug-ins.
var plugins = store.Register(store.Kind{Name: "plugins", Doc: "QEMU plug-ins that count in windows", Bound: 10 << 20})

// PluginFile is the plug-in in its entry.
const PluginFile = "window.so"

// interfaces are the compiler's flags for the versions of QEMU's interface for
// plug-ins. The first finds out at run time which of 1 and 2 there is.
var interfaces = [][]string{nil, {"-DINTERFACE=7"}}

// BuildPlugin compiles the plug-in for an emulator (a program in PATH, such as
// qemu-system-x86_64), or finds it in the store. The emulator has loaded it.
func BuildPlugin(ctx context.Context, s *store.Store, emulator string) (*store.Entry, error) {
	compiler, err := child.Output(exec.CommandContext(ctx, "gcc", "--version"))
	if err != nil {
		return nil, fmt.Errorf("build plug-in: no working gcc: %w", err)
	}
	version, err := child.Output(exec.CommandContext(ctx, emulator, "--version"))
	if err != nil {
		return nil, fmt.Errorf("build plug-in: no working %s: %w", emulator, err)
	}
	key := store.KeyOf(append([]string{string(pluginSource), string(compiler), emulator, string(version)}, flags...)...)
	// The compiler's and the emulator's words do not tell which libraries they are
	// for: one from another machine is tried.
	try := func(ctx context.Context, dir string) error {
		return Load(ctx, emulator, filepath.Join(dir, PluginFile), dir)
	}
	return s.Get(ctx, plugins, key, store.Recipe{What: "the counting plug-in", Check: try, Make: func(ctx context.Context, dir string) error {
		var refused error
		for _, more := range interfaces {
			path := filepath.Join(dir, PluginFile)
			if err := compile(ctx, path, more); err != nil {
				return err
			}
			if refused = Load(ctx, emulator, path, dir); refused == nil {
				return nil
			}
		}
		return refused
	}})
}

var flags = []string{"-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-fvisibility=hidden"}

func compile(ctx context.Context, path string, more []string) error {
	args := slices.Concat(flags, more, []string{"-x", "c", "-o", path, "-"})
	cmd := exec.CommandContext(ctx, "gcc", args...)
	cmd.Stdin = bytes.NewReader(pluginSource)
	if msg, err := child.CombinedOutput(cmd); err != nil {
		return fmt.Errorf("build plug-in: gcc: %w: %s", err, strings.TrimSpace(string(msg)))
	}
	return nil
}

// Load has an emulator load a plug-in, and fails with what it says if it does
// not. No guest is started. The plug-in's files are in a directory below dir
// meanwhile.
func Load(ctx context.Context, emulator, plugin, dir string) error {
	dir, err := os.MkdirTemp(dir, "load-")
	if err != nil {
		return fmt.Errorf("load plug-in: %w", err)
	}
	defer os.RemoveAll(dir)
	var none bytes.Buffer
	if err := new(code.Map).WriteMap(&none); err != nil {
		return fmt.Errorf("load plug-in: %w", err)
	}
	noCode, out := filepath.Join(dir, "code"), filepath.Join(dir, "out")
	if err := os.WriteFile(noCode, none.Bytes(), 0o644); err != nil {
		return fmt.Errorf("load plug-in: %w", err)
	}
	args := Args(noCode, out, []Marks{{Domain: "none", Base: 1, Slots: 2}})
	cmd := exec.CommandContext(ctx, emulator, append([]string{"-plugin", plugin + "," + strings.Join(args, ",")}, idle(emulator)...)...)
	cmd.Stdin = strings.NewReader("quit\n")
	said, err := child.CombinedOutput(cmd)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	// A plug-in that was installed has begun its output, however the emulator
	// ended without a guest.
	if _, none := os.Stat(out); none != nil {
		return fmt.Errorf("%s does not load the plug-in: %s", emulator, cmp.Or(child.LastLine(string(said)), fmt.Sprint(err)))
	}
	return nil
}

// idle are an emulator's arguments for no guest: a machine without processors,
// which the monitor's quit ends, or a program that is none.
func idle(emulator string) []string {
	if strings.HasPrefix(filepath.Base(emulator), "qemu-system-") {
		return []string{"-machine", "none", "-accel", "tcg", "-nodefaults", "-display", "none", "-monitor", "stdio"}
	}
	return []string{"/"}
}

// CPUs is one more argument for a machine of several physical processors. They must
// execute in one thread.
func CPUs(n int) []string {
	if n < 2 {
		return nil
	}
	return []string{fmt.Sprintf("cpus=%d", n)}
}

// Threads is one more argument for a program in user mode: before QEMU 8.0, threads
// of an i386 program that begin together may get each other's storage; the plug-in lets
// them begin one after the other.
func Threads(goarch string) []string {
	if goarch != "386" {
		return nil
	}
	return []string{"threads=i386"}
}

// Args are the plug-in's arguments: the map that package code writes, the
// file to write windows to, and the domains' marks.
func Args(code, out string, marks []Marks) []string {
	args := []string{"code=" + code, "out=" + out}
	for _, m := range marks {
		args = append(args, fmt.Sprintf("table=%s:%x:%d", m.Domain, m.Base, m.Slots))
	}
	return args
}
