// Package checkpolicy compiles policies for Xen by running checkpolicy, the
// compiler of the SELinux project.
package checkpolicy

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// ErrMissing says that checkpolicy is not installed.
var ErrMissing = errors.New("checkpolicy is not installed (Debian, Ubuntu, Fedora: package checkpolicy)")

// Order is the order in which the parts of a policy must stand in what
// checkpolicy reads. The modules, *.te, stand between the two lists, in the
// order of their names, since a type may be used before it is declared.
var (
	before = []string{"security_classes", "initial_sids", "access_vectors", "attributes"}
	after  = []string{"users", "initial_sid_contexts", "device_contexts"}
)

// Source puts the parts in dir together.
func Source(dir string) ([]byte, error) {
	modules, err := filepath.Glob(filepath.Join(dir, "*.te"))
	if err != nil {
		return nil, fmt.Errorf("list modules of policy %s: %w", dir, err)
	}
	var names []string
	for _, n := range before {
		names = append(names, filepath.Join(dir, n))
	}
	names = append(names, modules...)
	for _, n := range after {
		names = append(names, filepath.Join(dir, n))
	}
	var src bytes.Buffer
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			return nil, fmt.Errorf("read policy: %w", err)
		}
		src.Write(b)
	}
	return src.Bytes(), nil
}

// Compile compiles the source of a policy. target is checkpolicy's name of
// the target, Xen or selinux, version that of the format; mls says that the
// contexts have levels.
func Compile(src []byte, target string, version int, mls bool) ([]byte, error) {
	tool, err := exec.LookPath("checkpolicy")
	if err != nil {
		return nil, ErrMissing
	}
	dir, err := os.MkdirTemp("", "policy")
	if err != nil {
		return nil, fmt.Errorf("compile policy: %w", err)
	}
	defer os.RemoveAll(dir)
	in, out := filepath.Join(dir, "policy.conf"), filepath.Join(dir, "policy")
	if err := os.WriteFile(in, src, 0o600); err != nil {
		return nil, fmt.Errorf("compile policy: %w", err)
	}
	args := []string{"-t", target, "-c", strconv.Itoa(version), "-o", out}
	if mls {
		args = append(args, "-M")
	}
	msg, err := exec.Command(tool, append(args, in)...).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("compile policy: checkpolicy: %w: %s", err, strings.TrimSpace(string(msg)))
	}
	b, err := os.ReadFile(out)
	if err != nil {
		return nil, fmt.Errorf("compile policy: %w", err)
	}
	return b, nil
}
