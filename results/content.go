package results

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
)

// Bounds of what is read in one go: what others made may unpack to anything.
var (
	mostUnpacked int64 = 4 << 30
	mostPiped    int64 = 4 << 30
)

// contentError is text that ends where it should not: what stands before it is
// used.
type contentError struct{ err error }

func (e *contentError) Error() string { return e.err.Error() }
func (e *contentError) Unwrap() error { return e.err }

// kind is what a file's first bytes show it to be.
type kind int

const (
	isText kind = iota
	isEmpty
	isBinary
	isUTF16
	isGzip
	isJSON
)

// headSize is what tells a file's kind, and headOfBoots how long a boot of it is. A
// file may lie about that, so that a guess is bounded.
const (
	headSize    = 512
	headOfBoots = 256 << 10
	mostGuessed = 1 << 16
)

// kindOf tells what begins so.
func kindOf(head []byte) kind {
	trimmed := bytes.TrimLeft(bytes.TrimPrefix(head, byteOrderMark), " \t\r\n")
	switch {
	case len(head) == 0:
		return isEmpty
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return isGzip
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}), bytes.HasPrefix(head, []byte{0xfe, 0xff}), alternates(head):
		return isUTF16
	case bytes.IndexByte(head, 0) >= 0:
		return isBinary
	case bytes.HasPrefix(trimmed, []byte("{")) && bytes.Contains(trimmed, []byte(`"Action"`)):
		return isJSON
	}
	return isText
}

// alternates tells UTF-16 without a mark: every second byte of the first words
// is 0.
func alternates(head []byte) bool {
	n := min(len(head), 32) &^ 1
	if n < 8 {
		return false
	}
	for first := range 2 {
		zeros, others := 0, 0
		for i := 0; i < n; i += 2 {
			if head[i+first] == 0 {
				zeros++
			}
			if head[i+1-first] != 0 {
				others++
			}
		}
		if zeros == n/2 && others == n/2 {
			return true
		}
	}
	return false
}

// guess is about how many boots a file has whose beginning is typical of it, as
// that of a run's is; 0 of one that is packed.
func (f *file) guess() (int, error) {
	r, done, err := f.raw()
	if err != nil {
		return 0, err
	}
	defer done()
	file, ok := r.(*os.File)
	if !ok {
		return 0, nil
	}
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	head := make([]byte, min(headOfBoots, info.Size()))
	n, err := file.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	boots := float64(bytes.Count(head[:n], append([]byte("\n"), bootPrefix...)))
	return int(min(mostGuessed, boots*float64(info.Size())/max(1, float64(n)))), nil
}

// open reads the file's text, unpacked.
func (f *file) open(do func(io.Reader) error) error {
	r, done, err := f.raw()
	if err != nil {
		return err
	}
	defer done()
	text, err := f.unpack(r)
	if err != nil {
		return err
	}
	return do(text)
}

// raw is what stands in the file. A pipe can be read once, and a file may have to
// be read again, so that it is kept in one that has no name.
func (f *file) raw() (r io.ReaderAt, done func(), err error) {
	if f.in == nil && !f.pipe {
		file, err := os.Open(f.path)
		if err != nil {
			return nil, nil, err
		}
		return file, func() { file.Close() }, nil
	}
	if f.kept == nil {
		if err := f.keep(); err != nil {
			return nil, nil, fmt.Errorf("read %s: %w", f.path, err)
		}
	}
	return f.kept, func() {}, nil
}

// keep copies a pipe to a file without a name.
func (f *file) keep() error {
	in := f.in
	if in == nil {
		pipe, err := os.Open(f.path)
		if err != nil {
			return err
		}
		defer pipe.Close()
		in = pipe
	}
	kept, err := os.CreateTemp("", "xsmbench-input-")
	if err != nil {
		return err
	}
	os.Remove(kept.Name())
	n, err := io.Copy(kept, io.LimitReader(in, mostPiped+1))
	if err == nil && n > mostPiped {
		err = fmt.Errorf("more than %d bytes come out of it", mostPiped)
	}
	if err != nil {
		kept.Close()
		return err
	}
	f.kept = kept
	return nil
}

// close gives up what was kept of a pipe.
func (f *file) close() {
	if f.kept != nil {
		f.kept.Close()
		f.kept = nil
	}
}

// unpack finds out what the file is, and gives its text.
func (f *file) unpack(at io.ReaderAt) (io.Reader, error) {
	head := make([]byte, headSize)
	n, err := at.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	f.kind = kindOf(head[:n])
	var r io.Reader = io.NewSectionReader(at, 0, 1<<62)
	if file, ok := at.(*os.File); ok && f.kept == nil {
		r = file // which begins at its beginning
	}
	if f.kind == isGzip {
		unzipped, err := gzip.NewReader(r)
		if err != nil {
			f.kind = isBinary
			return bytes.NewReader(nil), nil
		}
		r = &bounded{r: unzipped, left: mostUnpacked}
		n, err = io.ReadFull(r, head)
		f.kind = kindOf(head[:n])
		r = io.MultiReader(bytes.NewReader(bytes.Clone(head[:n])), &rest{r, err})
	}
	if f.kind == isJSON {
		f.events = &events{in: newLines(r)}
		r = f.events
	}
	return r, nil
}

// rest goes on with a reader, or with the error that it ended with.
type rest struct {
	r   io.Reader
	err error
}

func (r *rest) Read(to []byte) (int, error) {
	var content *contentError
	switch {
	case errors.As(r.err, &content):
		return 0, r.err
	case r.err == nil:
		return r.r.Read(to)
	case errors.Is(r.err, io.ErrUnexpectedEOF), errors.Is(r.err, io.EOF):
		return 0, io.EOF
	}
	return 0, r.err
}

// bounded is unpacked text, up to a bound.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(to []byte) (int, error) {
	if b.left <= 0 {
		return 0, &contentError{fmt.Errorf("it unpacks to more than %d bytes; the rest is not read", mostUnpacked)}
	}
	n, err := b.r.Read(to[:min(int64(len(to)), b.left)])
	b.left -= int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &contentError{fmt.Errorf("the compressed text is damaged from here on: %w", err)}
	}
	return n, err
}

// reason says why a file has no sample.
func (f *file) reason() string {
	switch {
	case f.kind == isEmpty:
		return "it is empty"
	case f.kind == isUTF16:
		return fmt.Sprintf("it is UTF-16; convert it to UTF-8, as with: iconv -f UTF-16 -t UTF-8 %s", f.path)
	case f.kind == isBinary:
		return "it is binary, and no text"
	case f.ours:
		return "its boots have no samples"
	case f.kind == isJSON:
		return "it is the output of go test -json, and has no result of a benchmark"
	case len(f.problems) > 0:
		return "none of its results can be read"
	}
	return "no line in it is the result of a benchmark"
}
