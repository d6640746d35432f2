package results

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"
)

// tree is a run directory from which files are read. Others may have made it, so
// no more than its own regular files is read: a link may point within the
// directory but not out of it, and what is opened neither blocks nor does
// anything, as pipes and devices would.
type tree struct {
	root *os.Root
	path string // as the user gave it
}

func openTree(dir string) (*tree, error) {
	// A pipe must not be opened here: that would wait for whoever writes to it.
	if info, err := os.Stat(dir); err != nil {
		return nil, err
	} else if !info.IsDir() {
		return nil, &fs.PathError{Op: "open", Path: dir, Err: syscall.ENOTDIR}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &tree{root, dir}, nil
}

func (t *tree) Close() error { return t.root.Close() }

// place is the path of a file of the tree, for the user.
func (t *tree) place(name string) string { return filepath.Join(t.path, filepath.FromSlash(name)) }

// shown is a path as it can be printed: one with a line feed, an escape or what is
// no UTF-8 is quoted.
func shown(path string) string {
	for _, r := range path {
		if !strconv.IsPrint(r) || r == utf8.RuneError {
			return strconv.Quote(path)
		}
	}
	return path
}

// errIrregular is the cause when a name is not of a regular file.
var errIrregular = errors.New("not a regular file")

// stat describes a file whose name has slashes, and refuses one that is not
// regular or lies elsewhere.
func (t *tree) stat(name string) (fs.FileInfo, error) {
	info, err := t.root.Stat(name)
	if err != nil {
		return nil, t.fault(name, err)
	}
	if !info.Mode().IsRegular() {
		return nil, errIrregular
	}
	return info, nil
}

// fault says what is wrong in few words; the path is said by who tells it.
func (t *tree) fault(name string, err error) error {
	link, at := t.link(name)
	at = shown(at)
	switch {
	case link && errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s is a symbolic link to nothing", at)
	case link:
		return fmt.Errorf("%s is a symbolic link out of the run directory, which is not followed", at)
	}
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// link finds the first element of a name that is a symbolic link.
func (t *tree) link(name string) (bool, string) {
	parts := strings.Split(name, "/")
	for i := range parts {
		at := path.Join(parts[:i+1]...)
		if info, err := t.root.Lstat(at); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return true, at
		}
	}
	return false, ""
}

// open opens a regular file.
func (t *tree) open(name string) (*os.File, error) {
	if _, err := t.stat(name); err != nil {
		return nil, err
	}
	// If it is replaced by a pipe meanwhile, that does not block. Programs of 32
	// bits must ask for files of more than 2 GiB.
	f, err := t.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_LARGEFILE, 0)
	if err != nil {
		return nil, t.fault(name, err)
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		f.Close()
		return nil, errors.Join(err, errIrregular)
	}
	return f, nil
}

// TooLargeError is a file, or what it unpacks to, that is larger than any that a
// run has.
type TooLargeError struct{ Most int64 } // bytes

// Error says how large it may be.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("larger than %d MiB: no run of xsmbench has such a file", e.Most>>20)
}

// read reads a regular file of at most so many bytes.
func (t *tree) read(name string, most int64) ([]byte, error) {
	f, err := t.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readMost(f, most)
}

// readMost reads all of r, unless that is more than so many bytes.
func readMost(r io.Reader, most int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(text)) > most {
		return nil, &TooLargeError{most}
	}
	return text, err
}

// notRead ends what is said of a file that cannot be read.
const notRead = "; it is not read"

// list names the files of a folder that end in ext and can be read, in order.
// The others are problems. A folder that is not there has none.
func (t *tree) list(folder, ext string) (names []string, problems []Problem, err error) {
	info, err := t.root.Stat(folder)
	if errors.Is(err, fs.ErrNotExist) {
		if link, _ := t.link(folder); !link {
			return nil, nil, nil
		}
	}
	if err == nil && !info.IsDir() {
		err = errors.New("not a folder")
	}
	if err != nil {
		return nil, []Problem{{File: shown(t.place(folder)), Text: t.fault(folder, err).Error() + notRead}}, nil
	}
	dir, err := t.root.Open(folder)
	if err != nil {
		return nil, nil, err
	}
	defer dir.Close()
	all, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, nil, err
	}
	slices.Sort(all)
	for _, name := range all {
		if !strings.HasSuffix(name, ext) {
			continue
		}
		name = path.Join(folder, name)
		if _, err := t.stat(name); err != nil {
			problems = append(problems, Problem{File: shown(t.place(name)), Text: err.Error() + notRead})
			continue
		}
		names = append(names, name)
	}
	return names, problems, nil
}

// samplesIn is the folder of a run directory that has the samples: its own, or
// the directory itself, if somebody copied the files alone.
func (t *tree) samplesIn() string {
	if _, err := t.root.Lstat(samplesDir); err == nil {
		return samplesDir
	}
	return "."
}

// Subfolder is a folder of a run directory that is to be written to. A link there
// is refused: who made the directory would say what is written over.
func Subfolder(dir, name string) (string, error) {
	path := filepath.Join(dir, name)
	if info, err := os.Lstat(path); err == nil && !info.IsDir() {
		return "", fmt.Errorf("%s is not a folder inside the run directory: remove it, or name another folder with -o", shown(path))
	}
	return path, nil
}

// Files reads run.json and the files of samples as they are, by their names in
// the run directory, with slashes.
func Files(dir string) (map[string][]byte, error) {
	t, err := openTree(dir)
	if err != nil {
		return nil, fmt.Errorf("read run: %w", err)
	}
	defer t.Close()
	names, problems, err := t.list(samplesDir, ".txt")
	switch {
	case err != nil:
		return nil, fmt.Errorf("read run: %w", err)
	case problems != nil:
		return nil, fmt.Errorf("read run: %s", problems[0])
	}
	files := map[string][]byte{}
	for _, name := range append(names, runFile) {
		f, err := t.open(name)
		if err == nil {
			files[name], err = io.ReadAll(f)
			f.Close()
		}
		if err != nil {
			return nil, fmt.Errorf("read run: %s: %w", shown(t.place(name)), err)
		}
	}
	return files, nil
}
