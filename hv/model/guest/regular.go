package guest

import (
	"xsmbench/abi"
	"xsmbench/bench"
)

// maxFileSize bounds a file in memory, in bytes.
const maxFileSize = 1 << 30

// nodeStat is shared by the operations of files that have an inode.
type nodeStat struct{}

func (nodeStat) stat(f *file, st *bench.Stat) { f.node.stat(st) }
func (nodeStat) readable(*file) bool          { return true }
func (nodeStat) release(*Kernel, *file)       {}

// regularOps reads and writes a file through its page cache.
type regularOps struct{ nodeStat }

func (regularOps) read(p *Process, f *file, b []byte) (int, error) {
	n := f.node
	if f.pos >= n.size {
		return 0, nil
	}
	if int64(len(b)) > n.size-f.pos {
		b = b[:n.size-f.pos]
	}
	done := 0
	for done < len(b) {
		i, off := int(f.pos/abi.PageSize), int(f.pos%abi.PageSize)
		part := b[done:min(len(b), done+abi.PageSize-off)]
		if c := n.cached(i); c != 0 {
			copy(part, p.k.page(c, false)[off:])
		} else {
			clear(part)
		}
		done += len(part)
		f.pos += int64(len(part))
	}
	return done, nil
}

func (regularOps) write(p *Process, f *file, b []byte) (int, error) {
	n := f.node
	done := 0
	for done < len(b) {
		if f.pos >= maxFileSize {
			return done, abi.EFBIG
		}
		i, off := int(f.pos/abi.PageSize), int(f.pos%abi.PageSize)
		c := n.pageAt(p.k, i)
		if c == 0 {
			return done, abi.ENOSPC
		}
		k := copy(p.k.page(c, true)[off:], b[done:])
		done += k
		f.pos += int64(k)
		n.size = max(n.size, f.pos)
	}
	return done, nil
}

// dirOps is an open directory: it can be told about, not read.
type dirOps struct{ nodeStat }

func (dirOps) read(*Process, *file, []byte) (int, error)  { return 0, abi.EISDIR }
func (dirOps) write(*Process, *file, []byte) (int, error) { return 0, abi.EISDIR }

// nullOps is /dev/null, zeroOps /dev/zero.
type nullOps struct{ nodeStat }

func (nullOps) read(*Process, *file, []byte) (int, error)        { return 0, nil }
func (nullOps) write(_ *Process, _ *file, b []byte) (int, error) { return len(b), nil }

type zeroOps struct{ nodeStat }

func (zeroOps) read(_ *Process, _ *file, b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

func (zeroOps) write(_ *Process, _ *file, b []byte) (int, error) { return len(b), nil }

// consoleOps is /dev/console.
type consoleOps struct {
	nodeStat
	c *consoleDevice
}

func (o consoleOps) read(p *Process, _ *file, b []byte) (int, error) { return o.c.read(p, b) }

func (o consoleOps) write(_ *Process, _ *file, b []byte) (int, error) {
	o.c.write(b)
	return len(b), nil
}

func (o consoleOps) readable(*file) bool { return len(o.c.input) > 0 }
