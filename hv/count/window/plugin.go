// Package window counts the instructions of marked windows: what a guest
// executes between two marks, by who executed it and, within the hypervisor, by
// cell of its code and by the handler and the hook to which that is charged.
// The counting is done by a TCG plug-in, the one piece of C in this project;
// this package builds it and reads what it wrote.
package window

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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

// BuildPlugin compiles the plug-in, or finds it in the cache.
func BuildPlugin(ctx context.Context, cache string) (string, error) {
	sum := sha256.Sum256(pluginSource)
	path := filepath.Join(cache, "window-"+hex.EncodeToString(sum[:8])+".so")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", fmt.Errorf("build plug-in: %w", err)
	}
	tmp, err := os.MkdirTemp(cache, "window-*.tmp")
	if err != nil {
		return "", fmt.Errorf("build plug-in: %w", err)
	}
	defer os.RemoveAll(tmp)
	source, out := filepath.Join(tmp, "plugin.c"), filepath.Join(tmp, "plugin.so")
	if err := os.WriteFile(source, pluginSource, 0o644); err != nil {
		return "", fmt.Errorf("build plug-in: %w", err)
	}
	cmd := exec.CommandContext(ctx, "gcc", "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-fvisibility=hidden", "-o", out, source)
	if msg, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build plug-in: gcc: %w: %s", err, strings.TrimSpace(string(msg)))
	}
	if err := os.Rename(out, path); err != nil {
		return "", fmt.Errorf("build plug-in: %w", err)
	}
	return path, nil
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
