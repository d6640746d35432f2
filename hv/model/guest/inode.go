package guest

import (
	"strings"

	"xsmbench/abi"
	"xsmbench/bench"
)

// Types and permissions of an inode's mode, as stat tells them.
const (
	modeFIFO   = 0o010000
	modeChar   = 0o020000
	modeDir    = 0o040000
	modeFile   = 0o100000
	modeSocket = 0o140000
)

// inode is a file, directory or device of the file system in memory (tmpfs).
// A file's contents are in frames of the domain, its page cache, which shared
// mappings share.
type inode struct {
	ino   uint64
	mode  uint32
	size  int64
	nlink int
	users int // open files and mappings

	pages   []pfn // page cache: 0 where the file has a hole
	entries map[string]*inode
	open    fileOps     // what an open file of it does
	program *executable // what exec runs, nil if it is no program
}

// fileSystem is the tree of files of a domain.
type fileSystem struct {
	k       *Kernel
	root    *inode
	lastIno uint64
}

func (fs *fileSystem) newInode(mode uint32, ops fileOps) *inode {
	fs.lastIno++
	return &inode{ino: fs.lastIno, mode: mode, open: ops}
}

// newFileSystem makes the directories and devices that programs expect.
func newFileSystem(k *Kernel) *fileSystem {
	fs := &fileSystem{k: k}
	fs.root = fs.newInode(modeDir|0o755, dirOps{})
	fs.root.entries = map[string]*inode{}
	fs.root.nlink = 1
	for _, d := range []string{"bin", "dev", "etc", "lib", "sbin", "tmp", "usr", "usr/bin", "usr/include", "usr/lib", "usr/src", "usr/tmp", "var", "var/tmp"} {
		fs.mustAdd(d, modeDir|0o755, dirOps{})
	}
	fs.mustAdd("dev/null", modeChar|0o666, nullOps{})
	fs.mustAdd("dev/zero", modeChar|0o666, zeroOps{})
	fs.mustAdd("dev/console", modeChar|0o600, consoleOps{c: &k.console})
	return fs
}

// mustAdd makes a node of the tree that the kernel starts with.
func (fs *fileSystem) mustAdd(path string, mode uint32, ops fileOps) *inode {
	dir, name, err := fs.parent(path)
	if err != nil {
		panic("guest: make " + path + ": " + err.Error())
	}
	n := fs.newInode(mode, ops)
	if mode&modeDir != 0 {
		n.entries = map[string]*inode{}
	}
	n.nlink = 1
	dir.entries[name] = n
	return n
}

// makeParents makes the directories that a path goes through.
func (fs *fileSystem) makeParents(path string) error {
	dir := fs.root
	name, rest := nextName(path)
	for {
		next, after := nextName(rest)
		if next == "" {
			return nil
		}
		n := dir.entries[name]
		if n == nil {
			n = fs.newInode(modeDir|0o755, dirOps{})
			n.entries = map[string]*inode{}
			n.nlink = 1
			dir.entries[strings.Clone(name)] = n
		}
		if n.entries == nil {
			return abi.ENOTDIR
		}
		dir, name, rest = n, next, after
	}
}

// nextName cuts the first name off a path. Empty names and "." are skipped.
func nextName(path string) (name, rest string) {
	for {
		path = strings.TrimLeft(path, "/")
		i := strings.IndexByte(path, '/')
		if i < 0 {
			i = len(path)
		}
		name, rest = path[:i], path[i:]
		if name != "." {
			return name, rest
		}
		path = rest
	}
}

// lookup finds the inode at a path (path_lookup); every path starts at the
// root.
func (fs *fileSystem) lookup(path string) (*inode, error) {
	if path == "" {
		return nil, abi.ENOENT
	}
	n := fs.root
	for {
		name, rest := nextName(path)
		if name == "" {
			return n, nil
		}
		if n.entries == nil {
			return nil, abi.ENOTDIR
		}
		n = n.entries[name]
		if n == nil {
			return nil, abi.ENOENT
		}
		path = rest
	}
}

// parent finds the directory of the last name of a path, and that name.
func (fs *fileSystem) parent(path string) (dir *inode, name string, err error) {
	dir = fs.root
	for {
		var rest string
		name, rest = nextName(path)
		if name == "" {
			return nil, "", abi.EEXIST
		}
		if dir.entries == nil {
			return nil, "", abi.ENOTDIR
		}
		if next, _ := nextName(rest); next == "" {
			return dir, name, nil
		}
		dir = dir.entries[name]
		if dir == nil {
			return nil, "", abi.ENOENT
		}
		path = rest
	}
}

// create makes an empty file.
func (fs *fileSystem) create(path string) (*inode, error) {
	dir, name, err := fs.parent(path)
	if err != nil {
		return nil, err
	}
	n := fs.newInode(modeFile|0o644, regularOps{})
	n.nlink = 1
	dir.entries[strings.Clone(name)] = n
	return n, nil
}

// release drops one user of an inode, and its pages after the last one when
// no name is left either.
func (fs *fileSystem) release(n *inode) {
	n.users--
	fs.reclaim(n)
}

func (fs *fileSystem) reclaim(n *inode) {
	if n.users > 0 || n.nlink > 0 {
		return
	}
	n.dropPages(fs.k, 0)
	n.size = 0
}

// dropPages empties the page cache from page i on.
func (n *inode) dropPages(k *Kernel, i int) {
	if i >= len(n.pages) {
		return
	}
	for j, f := range n.pages[i:] {
		if f != 0 {
			k.mem.put(f)
			n.pages[i+j] = 0
		}
	}
	n.pages = n.pages[:i]
}

// cached returns page i of the file, 0 for a hole.
func (n *inode) cached(i int) pfn {
	if i >= len(n.pages) {
		return 0
	}
	return n.pages[i]
}

// pageAt returns page i of the file and makes it, zeroed, if it is a hole. It
// returns 0 when the domain has no memory left.
func (n *inode) pageAt(k *Kernel, i int) pfn {
	if f := n.cached(i); f != 0 {
		return f
	}
	f := k.zeroed()
	if f == 0 {
		return 0
	}
	for len(n.pages) <= i {
		n.pages = append(n.pages, 0)
	}
	n.pages[i] = f
	return f
}

// truncate sets a file's size; pages beyond it vanish, from mappings too.
func (n *inode) truncate(k *Kernel, size int64) {
	if size < n.size {
		keep := int((size + abi.PageSize - 1) / abi.PageSize)
		k.unmapFile(n, keep)
		n.dropPages(k, keep)
		if off := int(size % abi.PageSize); off != 0 {
			if f := n.cached(keep - 1); f != 0 {
				clear(k.page(f, true)[off:])
			}
		}
	}
	n.size = size
}

func (n *inode) stat(st *bench.Stat) {
	st.Ino, st.Mode, st.Size = n.ino, n.mode, n.size
}

// Stat tells what a path names.
func (p *Process) Stat(path string, st *bench.Stat) error {
	p.enter()
	n, err := p.k.fs.lookup(path)
	if err == nil {
		n.stat(st)
	}
	p.leave()
	return err
}

// Unlink removes a file's name.
func (p *Process) Unlink(path string) error {
	p.enter()
	defer p.leave()
	fs := p.k.fs
	dir, name, err := fs.parent(path)
	if err != nil {
		return err
	}
	n := dir.entries[name]
	switch {
	case n == nil:
		return abi.ENOENT
	case n.entries != nil:
		return abi.EISDIR
	}
	delete(dir.entries, name)
	n.nlink--
	fs.reclaim(n)
	return nil
}

// Rename gives a file another name, replacing a file that has it.
func (p *Process) Rename(old, new string) error {
	p.enter()
	defer p.leave()
	fs := p.k.fs
	from, oldName, err := fs.parent(old)
	if err != nil {
		return err
	}
	n := from.entries[oldName]
	if n == nil {
		return abi.ENOENT
	}
	to, newName, err := fs.parent(new)
	if err != nil {
		return err
	}
	if there := to.entries[newName]; there != nil {
		switch {
		case there == n:
			return nil
		case there.entries != nil:
			return abi.EISDIR
		case n.entries != nil:
			return abi.ENOTDIR
		}
		there.nlink--
		fs.reclaim(there)
	}
	if n.entries != nil && n.contains(to) {
		return abi.EINVAL
	}
	delete(from.entries, oldName)
	to.entries[strings.Clone(newName)] = n
	return nil
}

// contains reports whether directory d is n or lies below it.
func (n *inode) contains(d *inode) bool {
	if n == d {
		return true
	}
	for _, e := range n.entries {
		if e.entries != nil && e.contains(d) {
			return true
		}
	}
	return false
}
