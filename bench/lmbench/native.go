package lmbench

import (
	"errors"

	"xsmbench/bench"
)

type setup = func(bench.Domain) (bench.Loop, func(), error)

// native has the target run an operation itself if it does (see
// bench.NativeLoops), and else uses the portable code.
func native(op bench.NativeOp, portable setup, args ...int64) setup {
	return func(d bench.Domain) (bench.Loop, func(), error) {
		target, ok := d.OS().(bench.NativeLoops)
		if !ok {
			return portable(d)
		}
		loop, cleanup, err := target.NativeLoop(op, args...)
		if errors.Is(err, errors.ErrUnsupported) {
			return portable(d)
		}
		return loop, cleanup, err
	}
}

// nativeOr is native for an operation whose arguments the portable code's set-up has.
func nativeOr(os bench.OS, portable bench.Loop, op bench.NativeOp, args ...int64) (bench.Loop, func(), error) {
	nothing := func() {}
	target, ok := os.(bench.NativeLoops)
	if !ok {
		return portable, nothing, nil
	}
	loop, cleanup, err := target.NativeLoop(op, args...)
	if errors.Is(err, errors.ErrUnsupported) {
		return portable, nothing, nil
	}
	return loop, cleanup, err
}

// nativeOn has the target run an operation on two descriptors, if it does, and closes this
// process's own. With errors.ErrUnsupported they stay open for the portable code.
func nativeOn(os bench.OS, op bench.NativeOp, a, b bench.FD, args ...int64) (bench.Loop, func(), error) {
	target, ok := os.(bench.NativeLoops)
	if !ok {
		return nil, nil, errors.ErrUnsupported
	}
	loop, cleanup, err := target.NativeLoop(op, append([]int64{int64(a), int64(b)}, args...)...)
	if !errors.Is(err, errors.ErrUnsupported) {
		os.Close(a)
		os.Close(b)
	}
	return loop, cleanup, err
}
