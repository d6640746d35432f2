package store

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

// An archive is an entry on its way between machines: tar, compressed with zstd.
// Its first member is the manifest, which says what the other members are, in
// their order: files, folders and symbolic links. Each is compared with its
// line of the manifest when it arrives.

// Bounds of what is taken from an archive, whatever it says.
const (
	mostEntryBytes    = 64 << 30 // of a kind without a bound
	mostManifestBytes = 128 << 20
	mostLinkBytes     = 4096
	mostWindow        = 32 << 20 // of memory for the decompression
	tarSlack          = 8 << 10  // bytes of tar around one member
)

// pack writes an entry's archive.
func pack(ctx context.Context, place string, to io.Writer) error {
	head, files, err := readManifest(filepath.Join(place, manifestName), true)
	if err != nil {
		return err
	}
	for i := range files {
		if files[i].Mode, err = portable(files[i].Mode); err != nil {
			return fmt.Errorf("%s: %w", files[i].Path, err)
		}
	}
	// One processor: this goes on while the run goes on.
	z, err := zstd.NewWriter(to, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	defer z.Close()
	t := tar.NewWriter(z)
	if err := packManifest(t, head, files); err != nil {
		return err
	}
	for _, f := range files {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := packFile(ctx, t, filepath.Join(place, filesName), f); err != nil {
			return err
		}
	}
	if err := t.Close(); err != nil {
		return err
	}
	return z.Close()
}

// portable is a mode as every machine can set it. A folder may have inherited
// the group of the one around it.
func portable(m fs.FileMode) (fs.FileMode, error) {
	const special = fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky
	if m.IsDir() {
		m &^= special
	}
	if kind := m.Type(); kind != 0 && kind != fs.ModeDir && kind != fs.ModeSymlink || m&special != 0 {
		return 0, fmt.Errorf("its mode %v is not for other machines", m)
	}
	return m, nil
}

func packManifest(t *tar.Writer, head header, files []file) error {
	var text bytes.Buffer
	if err := formatManifest(&text, head, files); err != nil {
		return err
	}
	if err := t.WriteHeader(&tar.Header{Name: manifestName, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(text.Len()), Format: tar.FormatPAX}); err != nil {
		return err
	}
	_, err := t.Write(text.Bytes())
	return err
}

func packFile(ctx context.Context, t *tar.Writer, root string, f file) error {
	info, err := os.Lstat(filepath.Join(root, filepath.FromSlash(f.Path)))
	if err != nil {
		return err
	}
	h := &tar.Header{
		Name: memberName(f), Typeflag: memberType(f.Mode), Mode: int64(f.Mode.Perm()), Size: f.Size,
		Linkname: f.Target, ModTime: info.ModTime(), Format: tar.FormatPAX,
	}
	if err := t.WriteHeader(h); err != nil || !f.Mode.IsRegular() {
		return err
	}
	in, err := os.Open(filepath.Join(root, filepath.FromSlash(f.Path)))
	if err != nil {
		return err
	}
	defer in.Close()
	// One byte more than its size makes the archive fail.
	_, err = io.Copy(t, heeding(ctx, io.LimitReader(in, f.Size+1)))
	return err
}

func memberName(f file) string {
	if f.Mode.IsDir() {
		return filesName + "/" + f.Path + "/"
	}
	return filesName + "/" + f.Path
}

func memberType(m fs.FileMode) byte {
	switch {
	case m.IsDir():
		return tar.TypeDir
	case m&fs.ModeSymlink != 0:
		return tar.TypeSymlink
	}
	return tar.TypeReg
}

// heeding is a reader that ends with a context.
func heeding(ctx context.Context, r io.Reader) io.Reader { return heedingReader{ctx, r} }

type heedingReader struct {
	ctx context.Context
	io.Reader
}

func (r heedingReader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.Reader.Read(p)
}
