package linux

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"xsmbench/hv"
	"xsmbench/hv/gotool"
	"xsmbench/hv/store"
	"xsmbench/hv/xen/domain/native"
)

// agentProgram is the agent's package in xsmbench's source tree.
const agentProgram = "cmd/xsmguest"

// Files of an entry of the store.
const (
	agentFile      = "agent"
	nativeFile     = "native"
	ipcFile        = "ipc"
	dynamicFile    = "dynamic"
	dynamicIPCFile = "dynamic-ipc"
)

// hostAgents are the programs that measure.
var hostAgents = store.Register(store.Kind{
	Name: "host-agents", Doc: "the agent that measures this machine itself, with its native loops", Bound: 50 << 20,
})

// base is where the native loops are linked. Nothing else is there: without marks
// any place does.
const base = 0x20000000

// Build finds out what the kernel is, and makes the programs that measure it.
func (t *Target) Build(ctx context.Context, b hv.Build, progress func(string)) (*hv.Image, error) {
	img, err := t.build(ctx, b, progress)
	if err != nil {
		return nil, fmt.Errorf("build %s: %w", b.Name, err)
	}
	return img, nil
}

func (t *Target) build(ctx context.Context, b hv.Build, progress func(string)) (*hv.Image, error) {
	if err := checked(b); err != nil {
		return nil, err
	}
	if err := t.Starts(b, ""); err != nil {
		return nil, err
	}
	k, err := readKernel("/proc")
	if err != nil {
		return nil, err
	}
	programs, err := t.programs(ctx, b.Arch, progress)
	if err != nil {
		return nil, fmt.Errorf("agent: %w", err)
	}
	hash := sha256.New()
	for _, text := range []string{k.release, k.version, k.commandLine} {
		fmt.Fprintf(hash, "%q\n", text)
	}
	for _, file := range []string{agentFile, nativeFile, ipcFile, dynamicFile, dynamicIPCFile} {
		if err := addFile(hash, programs.Path(file)); err != nil {
			return nil, err
		}
	}
	agent := programs.Path(agentFile)
	info, err := os.Stat(agent)
	if err != nil {
		return nil, err
	}
	return &hv.Image{
		Build: b, Hash: hex.EncodeToString(hash.Sum(nil)), Dispatch: t.Kinds()[0].Dispatch,
		Toolchain: k.compiler(), Config: k.build(), Revision: k.release, Path: agent, Size: info.Size(), Cached: true,
	}, nil
}

// checked refuses what the kernel that runs cannot be given.
func checked(b hv.Build) error {
	switch {
	case b.KindOf() != name:
		return fmt.Errorf("unknown kind of build %q: this machine has %s only", b.KindOf(), name)
	case b.Source != "" || b.Rev != "":
		return errors.New("the kernel that runs is measured, and no source is built: boot the other kernel, run there, and compare the two runs")
	}
	return nil
}

func addFile(to io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(to, f)
	return err
}

// programs builds the agent and its native loops, or finds them.
func (t *Target) programs(ctx context.Context, arch string, progress func(string)) (*store.Entry, error) {
	s, err := t.opened()
	if err != nil {
		return nil, err
	}
	source, err := gotool.Own(ctx, s, progress)
	if err != nil {
		return nil, err
	}
	defer source.Release()
	tool, err := gotool.Find(source.Dir, arch)
	if err != nil {
		return nil, err
	}
	tool.Alone = true
	var e *store.Entry
	err = gotool.Settle(func(s string) { progress("agent: " + s) }, func() error {
		in, err := tool.Inputs(ctx, agentProgram, "")
		if err != nil {
			return err
		}
		p := gotool.Program{Package: agentProgram, Inputs: in}
		e, err = s.Get(ctx, hostAgents, p.Key(), store.Recipe{
			What: "the agent", Progress: progress,
			Make: func(ctx context.Context, dir string) error {
				progress("agent: building")
				if err := tool.Compile(ctx, p, filepath.Join(dir, agentFile)); err != nil {
					return err
				}
				return writeLoops(dir)
			},
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return t.hold(e), nil
}

// writeLoops writes the native loops, alone, between processes, and linked with the
// C library.
func writeLoops(dir string) error {
	for file, image := range map[string]func(uint64) ([]byte, error){nativeFile: native.Image, ipcFile: native.IPC, dynamicFile: native.Dynamic, dynamicIPCFile: native.DynamicIPC} {
		text, err := image(base)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, file), text, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// hold keeps an entry until this process ends, once.
func (t *Target) hold(e *store.Entry) *store.Entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	if before := t.held[e.Dir]; before != nil {
		e.Release()
		return before
	}
	t.held[e.Dir] = e
	return e
}
