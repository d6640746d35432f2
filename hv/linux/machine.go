package linux

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"xsmbench/hv"
	"xsmbench/hv/process"
	"xsmbench/hv/xen/protocol"
)

// machine is the agent with the folder of its files.
type machine struct {
	*process.Machine
	release func() // removes the folder
}

// Boot starts the agent.
func (t *Target) Boot(ctx context.Context, img *hv.Image, spec hv.BootSpec) (hv.Machine, error) {
	if s, err := t.opened(); err == nil {
		s.Settle(ctx, spec.Say) // what is put into a shared store would be timed, too
	}
	m, err := t.boot(img, spec)
	if err != nil {
		return nil, fmt.Errorf("boot %s: %w", img.Build.Name, err)
	}
	return m, nil
}

func (t *Target) boot(img *hv.Image, spec hv.BootSpec) (*machine, error) {
	s, err := t.opened()
	if err != nil {
		return nil, err
	}
	dir, release, err := s.Scratch("what is measured")
	if err != nil {
		return nil, err
	}
	p, err := process.Start(process.Spec{
		Image: img, Boot: spec, Command: t.command(img, dir), Limits: t.limits, Settings: []string{"GOMAXPROCS=1"},
	})
	if err != nil {
		release()
		return nil, err
	}
	return &machine{p, release}, nil
}

// command is the agent with its arguments.
func (t *Target) command(img *hv.Image, dir string) []string {
	at := func(file string) string { return filepath.Join(filepath.Dir(img.Path), file) }
	args := []string{
		img.Path, "-domain", protocol.HostDomain, "-tmp", dir,
		"-native", at(nativeFile), "-ipc", at(ipcFile), "-hello", at(nativeFile), "-shell", at(nativeFile),
	}
	if t.hasLibrary() {
		args = append(args, "-dynamic", at(dynamicFile), "-dynamic-ipc", at(dynamicIPCFile))
	}
	if cc := t.compiler(); cc != "" {
		args = append(args, "-compiler", cc)
	}
	return args
}

// Close stops the agent and removes its files.
func (m *machine) Close() error {
	err := m.Machine.Close()
	m.release()
	return err
}

// Settings say where the agent runs, and on which file system its files lie.
func (t *Target) Settings(ctx context.Context, _ *hv.Image, _ hv.BootSpec) []hv.Setting {
	all := []hv.Setting{{Item: hv.SettingVCPUs, Text: fmt.Sprintf("none: a process on %d processors, pinned to none", runtime.NumCPU())}}
	text := "the host's kernel; "
	if s, err := t.opened(); err == nil {
		if mounts, err := os.ReadFile("/proc/self/mounts"); err == nil {
			if fs := fileSystem(string(mounts), s.Dir()); fs != "" {
				text += "files on " + fs + "; "
			}
		}
	}
	text += libraryText(ctx)
	if cc := t.compiler(); cc != "" {
		text += "; kernbench compiles with " + compilerText(ctx, cc)
	}
	return append(all, hv.Setting{Item: hv.SettingGuests, Text: text})
}
