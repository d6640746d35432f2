package lmbench

import (
	"errors"
	"fmt"

	"xsmbench/bench"
)

// What lmdd moves: its default block, and as much as bw_pipe.
const (
	moveBlock = 8 << 10
	moveFrom  = scratchFile + ".from"
	moveTo    = scratchFile + ".to"
)

// registerMove registers lmdd.
func registerMove() {
	for _, m := range []struct {
		name, source, doc string
		from, to          bool
	}{
		{"if=internal/of=file", "lmdd if=internal of=FILE move=1m fsync=1", "write 1 MiB to a new file, in pieces of 8 KiB, and wait until it is on its device", false, true},
		{"if=file/of=internal", "lmdd if=FILE of=internal move=1m", "read 1 MiB of a file, in pieces of 8 KiB", true, false},
		{"if=file/of=file", "lmdd if=FILE of=FILE move=1m fsync=1", "copy 1 MiB of a file to a new one, in pieces of 8 KiB, and wait until it is on its device", true, true},
	} {
		register(bench.Benchmark{
			Name: "lmdd/" + m.name, Source: m.source, Doc: m.doc, Unit: "MB/s", Bytes: total, Full: true,
			Needs: []bench.Facility{bench.Seeking},
			Intervals: func(d bench.Domain) (bench.Interval, error) {
				return newMover(d.OS(), m.from, m.to)
			},
		})
	}
}

// mover moves data between files that are opened before and closed after, untimed.
type mover struct {
	os       bench.OS
	seeker   bench.Seeker
	from, to bool
	in, out  bench.FD
	block    []byte
}

func newMover(os bench.OS, from, to bool) (bench.Interval, error) {
	seeker, ok := os.(bench.Seeker)
	if !ok {
		return bench.Interval{}, fmt.Errorf("wait for files: %w", errors.ErrUnsupported)
	}
	m := &mover{os: os, seeker: seeker, from: from, to: to, block: make([]byte, moveBlock)}
	if from {
		if err := makeFile(os, moveFrom, total); err != nil {
			return bench.Interval{}, err
		}
	}
	return bench.Interval{Before: m.open, Loop: m.move, After: m.close, Most: 1, Cleanup: m.remove}, nil
}

func (m *mover) open(int64) error {
	var err error
	if m.from {
		if m.in, err = m.os.Open(moveFrom, bench.O_RDONLY); err != nil {
			return fmt.Errorf("open %s: %w", moveFrom, err)
		}
	}
	if m.to {
		if m.out, err = m.os.Open(moveTo, bench.O_WRONLY|bench.O_CREAT|bench.O_TRUNC); err != nil {
			return fmt.Errorf("create %s: %w", moveTo, err)
		}
	}
	return nil
}

func (m *mover) move(int64) error {
	for done := 0; done < total; done += moveBlock {
		if m.from {
			if k, err := m.os.Read(m.in, m.block); k != moveBlock {
				return fmt.Errorf("read %s: %d bytes after %d: %w", moveFrom, k, done, cause(err))
			}
		}
		if m.to {
			if k, err := m.os.Write(m.out, m.block); k != moveBlock {
				return fmt.Errorf("write %s: %d bytes after %d: %w", moveTo, k, done, cause(err))
			}
		}
	}
	if !m.to {
		return nil
	}
	if err := m.seeker.Fsync(m.out); err != nil {
		return fmt.Errorf("sync %s: %w", moveTo, err)
	}
	return nil
}

func (m *mover) close(int64) error {
	if m.from {
		if err := m.os.Close(m.in); err != nil {
			return fmt.Errorf("close %s: %w", moveFrom, err)
		}
	}
	if m.to {
		if err := m.os.Close(m.out); err != nil {
			return fmt.Errorf("close %s: %w", moveTo, err)
		}
	}
	return nil
}

func (m *mover) remove() {
	if m.from {
		m.os.Unlink(moveFrom)
	}
	if m.to {
		m.os.Unlink(moveTo)
	}
}
