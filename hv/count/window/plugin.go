// Package window counts the instructions of marked windows: what a guest
// executes between two marks, by who executed it and, within the hypervisor, by
// cell of its code and by the handler and the hook to which that is charged.
// The counting is done by a TCG plug-in, the one piece of C in this project;
// this package builds it and reads what it wrote.
package window

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

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

// BuildPlugin compiles the plug-in, or finds it in the store.
func BuildPlugin(ctx context.Context, s *store.Store) (*store.Entry, error) {
	compiler, err := exec.CommandContext(ctx, "gcc", "--version").Output()
	if err != nil {
		return nil, fmt.Errorf("build plug-in: no working gcc: %w", err)
	}
	flags := []string{"-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-fvisibility=hidden"}
	key := store.KeyOf(append([]string{string(pluginSource), string(compiler)}, flags...)...)
	return s.Get(ctx, plugins, key, store.Recipe{What: "the counting plug-in", Make: func(ctx context.Context, dir string) error {
		cmd := exec.CommandContext(ctx, "gcc", append(flags, "-x", "c", "-o", filepath.Join(dir, PluginFile), "-")...)
		cmd.Stdin = bytes.NewReader(pluginSource)
		if msg, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build plug-in: gcc: %w: %s", err, strings.TrimSpace(string(msg)))
		}
		return nil
	}})
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
