//go:build linux && (amd64 || 386)

package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"unsafe"
)

// mountAll mounts the kernel's file systems and makes the directories that
// programs expect.
func mountAll() error {
	for _, m := range []struct{ what, where, data string }{
		{"proc", "/proc", ""}, {"sysfs", "/sys", ""}, {"devtmpfs", "/dev", ""},
		{"devpts", "/dev/pts", "ptmxmode=0666"}, {"tmpfs", "/tmp", ""}, {"tmpfs", "/run", ""},
	} {
		if err := os.MkdirAll(m.where, 0o755); err != nil {
			return fmt.Errorf("mount %s: %w", m.where, err)
		}
		// Kernels may have mounted devtmpfs themselves.
		if err := syscall.Mount(m.what, m.where, m.what, 0, m.data); err != nil && !errors.Is(err, syscall.EBUSY) {
			return fmt.Errorf("mount %s: %w", m.where, err)
		}
	}
	return nil
}

// loadModules loads the kernel modules that a file lists.
func loadModules(list string) error {
	text, err := os.ReadFile(list)
	if err != nil {
		return fmt.Errorf("load modules: %w", err)
	}
	for _, m := range parseModules(string(text)) {
		if err := loadModule(m.path, m.args); err != nil {
			return fmt.Errorf("load module %s: %w", m.path, err)
		}
	}
	return nil
}

// module is a kernel module with its arguments.
type module struct{ path, args string }

// parseModules reads a list of modules, one a line.
func parseModules(text string) []module {
	var list []module
	for line := range strings.Lines(text) {
		if path, args, _ := strings.Cut(strings.TrimSpace(line), " "); path != "" {
			list = append(list, module{path, strings.TrimSpace(args)})
		}
	}
	return list
}

func loadModule(path, args string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	params, err := syscall.BytePtrFromString(args)
	if err != nil {
		return err
	}
	_, _, e := syscall.Syscall(syscall.SYS_INIT_MODULE, uintptr(unsafe.Pointer(unsafe.SliceData(data))), uintptr(len(data)), uintptr(unsafe.Pointer(params)))
	if e != 0 && e != syscall.EEXIST {
		return e
	}
	return nil
}
