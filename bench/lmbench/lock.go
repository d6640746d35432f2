package lmbench

import (
	"errors"
	"fmt"

	"xsmbench/bench"
)

// registerLocks registers lat_fcntl and lat_sem.
func registerLocks() {
	register(bench.Benchmark{
		Name: "lat_fcntl", Source: "lat_fcntl", Ops: 2, Full: true,
		Doc:   "a lock of a file's first byte to another process or back: wait for one file's, give the other's, and the same in turn (half of it)",
		Needs: []bench.Facility{bench.Locking},
		Hooks: sendEvent,
		Setup: func(d bench.Domain) (bench.Loop, func(), error) { return lockHandoffs(d.OS()) },
	})
	register(bench.Benchmark{
		Name: "lat_sem", Source: "lat_sem", Ops: 2, Enough: short, Full: true,
		Doc:   "a System V semaphore to another process or back (half of a round trip)",
		Needs: []bench.Facility{bench.Semaphores},
		Hooks: sendEvent,
		Setup: func(d bench.Domain) (bench.Loop, func(), error) { return semaphoreHandoffs(d.OS()) },
	})
}

// twoFiles opens two files whose names go at once.
func twoFiles(os bench.OS) (a, b bench.FD, err error) {
	var fds [2]bench.FD
	for i := range fds {
		name := fmt.Sprintf("%s-fcntl.%d", scratchFile, i+1)
		if fds[i], err = openFile(os, name, lockedSize); err == nil {
			err = os.Unlink(name)
		}
		if err != nil {
			for _, fd := range fds[:i] {
				os.Close(fd)
			}
			return -1, -1, err
		}
	}
	return fds[0], fds[1], nil
}

// lockedSize is that of lat_fcntl's files.
const lockedSize = 10000

func lockHandoffs(os bench.OS) (bench.Loop, func(), error) {
	locker, ok := os.(bench.Locker)
	if !ok {
		return nil, nil, fmt.Errorf("lock files: %w", errors.ErrUnsupported)
	}
	first, second, err := twoFiles(os)
	if err != nil {
		return nil, nil, err
	}
	loop, cleanup, err := nativeOn(os, bench.NativeLocks, first, second)
	if !errors.Is(err, errors.ErrUnsupported) {
		return loop, cleanup, err
	}
	both := func() { os.Close(first); os.Close(second) }
	if err := errors.Join(locker.Lock(first), locker.Lock(second)); err != nil {
		both()
		return nil, nil, fmt.Errorf("lock files: %w", err)
	}
	pid, err := os.Fork(func(os bench.OS) int {
		for locker := os.(bench.Locker); ; {
			if errors.Join(locker.Unlock(first), locker.Lock(second), locker.Unlock(second), locker.Lock(first)) != nil {
				return 1
			}
		}
	})
	if err != nil {
		both()
		return nil, nil, fmt.Errorf("fork: %w", err)
	}
	loop = func(n int64) error {
		for ; n > 0; n-- {
			if err := handOver(locker, first, second); err != nil {
				return err
			}
		}
		return nil
	}
	return loop, func() { os.Kill(pid, killed); os.Wait(pid); both() }, nil
}

// handOver is one turn: the first lock is waited for and the second given, and then
// the other way.
func handOver(l bench.Locker, first, second bench.FD) error {
	if err := l.Lock(first); err != nil {
		return fmt.Errorf("wait for first lock: %w", err)
	}
	if err := l.Unlock(second); err != nil {
		return fmt.Errorf("give second lock: %w", err)
	}
	if err := l.Lock(second); err != nil {
		return fmt.Errorf("wait for second lock: %w", err)
	}
	if err := l.Unlock(first); err != nil {
		return fmt.Errorf("give first lock: %w", err)
	}
	return nil
}

func semaphoreHandoffs(os bench.OS) (bench.Loop, func(), error) {
	owner, ok := os.(bench.SemaphoreOwner)
	if !ok {
		return nil, nil, fmt.Errorf("make semaphores: %w", errors.ErrUnsupported)
	}
	id, err := owner.NewSemaphores(2)
	if err != nil {
		return nil, nil, fmt.Errorf("make semaphores: %w", err)
	}
	remove := func() { owner.RemoveSemaphores(id) }
	if target, ok := os.(bench.NativeLoops); ok {
		loop, cleanup, err := target.NativeLoop(bench.NativeSemaphores, int64(id))
		if err == nil {
			return loop, func() { cleanup(); remove() }, nil
		}
		if !errors.Is(err, errors.ErrUnsupported) {
			remove()
			return nil, nil, err
		}
	}
	pid, err := os.Fork(func(os bench.OS) int {
		owner := os.(bench.SemaphoreOwner)
		begin := []bench.SemaphoreOp{{Number: 1, Add: 1}}
		turn := []bench.SemaphoreOp{{Number: 0, Add: -1}, {Number: 1, Add: 1}}
		for err := owner.Operate(id, begin); ; err = owner.Operate(id, turn) {
			if err != nil {
				return 0 // the set is gone
			}
		}
	})
	if err != nil {
		remove()
		return nil, nil, fmt.Errorf("fork: %w", err)
	}
	turn := []bench.SemaphoreOp{{Number: 1, Add: -1}, {Number: 0, Add: 1}}
	loop := func(n int64) error {
		for ; n > 0; n-- {
			if err := owner.Operate(id, turn); err != nil {
				return fmt.Errorf("operate on semaphores: %w", err)
			}
		}
		return nil
	}
	return loop, func() { remove(); os.Wait(pid) }, nil
}
