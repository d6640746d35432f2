package store

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// errTooLarge is the cause when an archive holds more than it says.
var errTooLarge = errors.New("it holds more than its manifest says")

// allowance bounds what is decompressed.
type allowance struct {
	in   io.Reader
	left int64
}

func (a *allowance) Read(p []byte) (int, error) {
	if a.left <= 0 {
		return 0, errTooLarge
	}
	n, err := a.in.Read(p[:min(int64(len(p)), a.left)])
	a.left -= int64(n)
	return n, err
}

// unpacker takes an entry out of an archive.
type unpacker struct {
	kind Kind
	key  Key

	in    *allowance
	tar   *tar.Reader
	root  *os.Root // of the files
	head  header
	files []file
}

// unpack fills an empty folder with the entry that an archive holds, and brings
// it to the disk. Nothing outside of the folder is written, whatever the archive
// says. What is not complete, or not what its own manifest says, is an error.
func unpack(ctx context.Context, from io.Reader, dir string, k Kind, key Key) error {
	z, err := zstd.NewReader(heeding(ctx, from), zstd.WithDecoderMaxWindow(mostWindow), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return err
	}
	defer z.Close()
	root, err := os.OpenRoot(filepath.Join(dir, filesName))
	if err != nil {
		return err
	}
	defer root.Close()
	u := &unpacker{kind: k, key: key, in: &allowance{z, mostManifestBytes}, root: root}
	u.tar = tar.NewReader(u.in)
	if err := u.takeManifest(); err != nil {
		return err
	}
	u.in.left = u.head.Size + int64(len(u.files)+2)*tarSlack
	for _, f := range u.files {
		if err := u.take(f); err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	if err := u.end(); err != nil {
		return err
	}
	return complete(dir, u.head, u.files)
}

// takeManifest reads the first member.
func (u *unpacker) takeManifest() error {
	h, err := u.tar.Next()
	if err != nil {
		return fmt.Errorf("it is no archive of an entry: %w", noEOF(err))
	}
	if h.Name != manifestName || h.Typeflag != tar.TypeReg {
		return errors.New("it does not begin with a manifest")
	}
	u.head, u.files, err = parseManifest(u.tar, true)
	if err != nil {
		return fmt.Errorf("read its manifest: %w", noEOF(err))
	}
	return checkManifest(u.head, u.files, u.kind, u.key)
}

// noEOF makes the end of an archive one that came too early.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// checkManifest checks that a manifest from elsewhere is that of an entry, and
// can be followed.
func checkManifest(head header, files []file, k Kind, key Key) error {
	most := int64(mostEntryBytes)
	if k.Bound > 0 {
		most = min(most, k.Bound)
	}
	switch {
	case head.Version != version:
		return fmt.Errorf("its version is %d, not %d", head.Version, version)
	case head.Kind != k.Name || head.Key != key:
		return fmt.Errorf("it is the entry of %s %s", head.Kind, head.Key)
	case head.Files != len(files):
		return fmt.Errorf("its manifest has %d lines, not %d", len(files), head.Files)
	}
	var total int64
	folders := map[string]bool{".": true}
	seen := map[string]bool{}
	for _, f := range files {
		if err := f.checkLine(); err != nil {
			return fmt.Errorf("its manifest names %q: %w", f.Path, err)
		}
		if seen[f.Path] || !folders[path.Dir(f.Path)] {
			return fmt.Errorf("its manifest names %q twice, or before the folder around it", f.Path)
		}
		seen[f.Path] = true
		folders[f.Path] = f.Mode.IsDir()
		if f.Size > most-total {
			return fmt.Errorf("it is larger than %d bytes, the bound of %s", most, k.Name)
		}
		total += f.Size
	}
	if total != head.Size {
		return fmt.Errorf("its files have %d bytes, not %d", total, head.Size)
	}
	return nil
}

// checkLine checks what a line says by itself.
func (f file) checkLine() error {
	if !fs.ValidPath(f.Path) || f.Path == "." || strings.ContainsRune(f.Path, 0) {
		return errors.New("it is not a path inside of the entry")
	}
	if m, err := portable(f.Mode); err != nil || m != f.Mode || m&^(fs.ModeType|fs.ModePerm) != 0 {
		return fmt.Errorf("its mode is %v", f.Mode)
	}
	digest, err := hex.DecodeString(f.SHA256)
	regular, link := f.Mode.IsRegular(), f.Mode&fs.ModeSymlink != 0
	switch {
	case f.Size < 0 || !regular && f.Size != 0:
		return fmt.Errorf("it has %d bytes", f.Size)
	case err != nil || regular != (len(digest) == sha256.Size) || !regular && f.SHA256 != "":
		return errors.New("its digest is none")
	case link != (f.Target != "") || len(f.Target) > mostLinkBytes || strings.ContainsRune(f.Target, 0):
		return errors.New("where it leads is not said, or is no path")
	}
	return nil
}

// take takes the next member, which must be what a line of the manifest says.
func (u *unpacker) take(f file) error {
	h, err := u.tar.Next()
	if err != nil {
		return noEOF(err)
	}
	if h.Name != memberName(f) || h.Typeflag != memberType(f.Mode) || h.Size != f.Size || h.Linkname != f.Target {
		return fmt.Errorf("the archive has %q in its place", h.Name)
	}
	name := filepath.FromSlash(f.Path)
	switch {
	case f.Mode.IsDir():
		return u.root.Mkdir(name, 0o700)
	case f.Mode&fs.ModeSymlink != 0:
		return u.root.Symlink(f.Target, name)
	}
	if err := u.takeContent(name, f); err != nil {
		return err
	}
	return u.root.Chtimes(name, h.ModTime, h.ModTime)
}

func (u *unpacker) takeContent(name string, f file) error {
	out, err := u.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, h), u.tar)
	switch {
	case err != nil:
		return noEOF(err)
	case n != f.Size:
		return fmt.Errorf("it has %d bytes, not %d", n, f.Size)
	case hex.EncodeToString(h.Sum(nil)) != f.SHA256:
		return errors.New("its content is not what the manifest says")
	}
	if err := out.Chmod(f.Mode.Perm()); err != nil { // whatever the umask
		return err
	}
	return out.Close()
}

// end checks that nothing follows, and gives the folders their modes, the inner
// ones first: one may forbid to change what is in it.
func (u *unpacker) end() error {
	switch _, err := u.tar.Next(); {
	case err == nil:
		return errTooLarge
	case !errors.Is(err, io.EOF):
		return err
	}
	if _, err := io.Copy(io.Discard, u.in); err != nil { // up to zstd's checksum
		return err
	}
	for i := len(u.files) - 1; i >= 0; i-- {
		f := u.files[i]
		if !f.Mode.IsDir() {
			continue
		}
		if err := u.root.Chmod(filepath.FromSlash(f.Path), f.Mode.Perm()); err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	return nil
}
