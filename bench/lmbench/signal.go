package lmbench

import (
	"fmt"

	"xsmbench/abi"
	"xsmbench/bench"
)

// registerSignal registers lat_sig.
func registerSignal() {
	register(bench.Benchmark{
		Name: "lat_sig/op=install", Source: "lat_sig install",
		Doc:   "install a signal handler",
		Setup: native(bench.NativeInstall, install),
	})
	register(bench.Benchmark{
		Name: "lat_sig/op=catch", Source: "lat_sig catch",
		Doc:      "send a signal to oneself and run its handler, less sending signal 0 (lmbench sends one signal less than it counts)",
		Setup:    native(bench.NativeCatch, catch),
		Baseline: native(bench.NativeSend, send),
	})
	register(bench.Benchmark{
		Name: "lat_sig/op=prot", Source: "lat_sig prot",
		Doc:      "store to a read-only page of a file until its handler, run once per iteration, makes it writable; less handling a signal",
		Setup:    native(bench.NativeProtect, protect),
		Baseline: native(bench.NativeCatchProtect, catchAndProtect),
		Credit:   native(bench.NativeSend, send),
	})
}

func install(d bench.Domain) (bench.Loop, func(), error) {
	os := d.OS()
	handler := func(bench.Signal) {}
	loop := func(n int64) error {
		for ; n > 0; n-- {
			if err := os.Sigaction(bench.SIGUSR1, handler); err != nil {
				return fmt.Errorf("install handler: %w", err)
			}
		}
		return nil
	}
	return loop, func() { os.Sigaction(bench.SIGUSR1, nil) }, nil
}

// send is the baseline of catch: a kill that only checks its arguments.
func send(d bench.Domain) (bench.Loop, func(), error) {
	os := d.OS()
	me := os.Getpid()
	return func(n int64) error {
		for ; n > 0; n-- {
			if err := os.Kill(me, 0); err != nil {
				return fmt.Errorf("send signal 0: %w", err)
			}
		}
		return nil
	}, nil, nil
}

func catch(d bench.Domain) (bench.Loop, func(), error) {
	os := d.OS()
	me := os.Getpid()
	var caught int64
	if err := os.Sigaction(bench.SIGUSR1, func(bench.Signal) { caught++ }); err != nil {
		return nil, nil, fmt.Errorf("install handler: %w", err)
	}
	loop := func(n int64) error {
		want := caught + n
		for ; n > 0; n-- {
			if err := os.Kill(me, bench.SIGUSR1); err != nil {
				return fmt.Errorf("send signal: %w", err)
			}
		}
		if caught != want {
			return fmt.Errorf("catch signals: %d are missing", want-caught)
		}
		return nil
	}
	return loop, func() { os.Sigaction(bench.SIGUSR1, nil) }, nil
}

// catchAndProtect is catch with what else is in every window of protect: the
// two mprotects, and the store that then succeeds. Subtracting it removes
// them too.
func catchAndProtect(d bench.Domain) (bench.Loop, func(), error) {
	loop, cleanup, err := catch(d)
	if err != nil {
		return nil, nil, err
	}
	page, unmap, err := readOnlyPage(d.OS())
	if err != nil {
		cleanup()
		return nil, nil, err
	}
	os := d.OS()
	both := func(n int64) error {
		if err := os.Mprotect(page, abi.PageSize, bench.PROT_READ); err != nil {
			return err
		}
		if err := loop(n); err != nil {
			return err
		}
		if err := os.Mprotect(page, abi.PageSize, bench.PROT_READ|bench.PROT_WRITE); err != nil {
			return err
		}
		os.Store(page, 1)
		return nil
	}
	return both, func() { unmap(); cleanup() }, nil
}

func protect(d bench.Domain) (bench.Loop, func(), error) {
	os := d.OS()
	page, unmap, err := readOnlyPage(os)
	if err != nil {
		return nil, nil, err
	}
	var left int64
	var failed error
	handler := func(bench.Signal) {
		if left--; left <= 0 {
			failed = os.Mprotect(page, abi.PageSize, bench.PROT_READ|bench.PROT_WRITE)
		}
	}
	if err := os.Sigaction(bench.SIGSEGV, handler); err != nil {
		unmap()
		return nil, nil, fmt.Errorf("install handler: %w", err)
	}
	loop := func(n int64) error {
		left = n
		if err := os.Mprotect(page, abi.PageSize, bench.PROT_READ); err != nil {
			return fmt.Errorf("protect page: %w", err)
		}
		os.Store(page, 1)
		if failed != nil {
			return fmt.Errorf("make page writable: %w", failed)
		}
		if left != 0 {
			return fmt.Errorf("store to read-only page: %d faults are missing", left)
		}
		return nil
	}
	return loop, func() { os.Sigaction(bench.SIGSEGV, nil); unmap() }, nil
}

// readOnlyPage maps a page of a file and touches it, so that the only faults
// to come are protection faults.
func readOnlyPage(os bench.OS) (bench.Addr, func(), error) {
	fd, err := openFile(os, scratchFile, abi.PageSize)
	if err != nil {
		return 0, nil, err
	}
	page, err := os.Mmap(abi.PageSize, bench.PROT_READ, bench.MAP_SHARED, fd, 0)
	if err != nil {
		os.Close(fd)
		return 0, nil, fmt.Errorf("map %s: %w", scratchFile, err)
	}
	os.Load(page)
	return page, func() {
		os.Munmap(page, abi.PageSize)
		os.Close(fd)
		os.Unlink(scratchFile)
	}, nil
}
