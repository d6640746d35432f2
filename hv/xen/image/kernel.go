package image

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/klauspost/compress/zstd"

	"xsmbench/hv/child"
)

// ErrNotKernel is the cause when a file is no bzImage with a payload that can
// be unpacked.
var ErrNotKernel = errors.New("not a Linux bzImage with a payload (boot protocol 2.08 or later)")

// Offsets of the setup header (Linux, Documentation/x86/boot.rst).
const (
	offSetupSects    = 0x1f1
	offMagic         = 0x202
	offVersion       = 0x206
	offPayload       = 0x248
	offPayloadLength = 0x24c
	sector           = 512
)

// Vmlinux unpacks the kernel from a bzImage. Xen boots the ELF file as it
// does the bzImage, without the guest's instructions for the decompression:
// a tenth of all that a boot of dom0 executes.
func Vmlinux(ctx context.Context, path string) ([]byte, error) {
	image, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("unpack kernel: %w", err)
	}
	payload, err := payloadOf(image)
	if err != nil {
		return nil, fmt.Errorf("unpack kernel %s: %w", path, err)
	}
	elf, err := decompress(ctx, payload)
	if err != nil {
		return nil, fmt.Errorf("unpack kernel %s: %w", path, err)
	}
	if !bytes.HasPrefix(elf, []byte("\x7fELF")) {
		return nil, fmt.Errorf("unpack kernel %s: the payload is not an ELF file", path)
	}
	return elf, nil
}

// payloadOf finds the compressed kernel in a bzImage. Its last four bytes, the
// unpacked size that the kernel's build appends, are cut off.
func payloadOf(image []byte) ([]byte, error) {
	if len(image) < offPayloadLength+4 || string(image[offMagic:offMagic+4]) != "HdrS" {
		return nil, ErrNotKernel
	}
	le := binary.LittleEndian
	if le.Uint16(image[offVersion:]) < 0x208 {
		return nil, ErrNotKernel
	}
	setup := uint64(image[offSetupSects])
	if setup == 0 {
		setup = 4
	}
	start := (setup+1)*sector + uint64(le.Uint32(image[offPayload:]))
	length := uint64(le.Uint32(image[offPayloadLength:]))
	if length < 4 || start+length > uint64(len(image)) {
		return nil, fmt.Errorf("%w: the payload of %d bytes at %d lies outside the file of %d bytes", ErrNotKernel, length, start, len(image))
	}
	return image[start : start+length-4], nil
}

// compressors are the formats of Debian's kernels and modules by magic number. The
// kernel's xz streams use a filter (x86 BCJ) that Go's libraries do not have.
var compressors = []struct {
	magic  string
	unpack func(context.Context, []byte) ([]byte, error)
}{
	{"\xfd7zXZ\x00", unxz},
	{"\x1f\x8b", gunzip},
	{"\x28\xb5\x2f\xfd", unzstd},
	{"\x7fELF", func(_ context.Context, plain []byte) ([]byte, error) { return plain, nil }},
}

func unxz(ctx context.Context, packed []byte) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "xz", "-dc")
	cmd.Stdin = bytes.NewReader(packed)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := child.Run(cmd); err != nil {
		return nil, fmt.Errorf("xz: %w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	return out.Bytes(), nil
}

func gunzip(_ context.Context, packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("gzip: %w", err)
	}
	r.Multistream(false) // what follows is the kernel's own
	plain, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("gzip: %w", err)
	}
	return plain, nil
}

func unzstd(_ context.Context, packed []byte) ([]byte, error) {
	r, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(mostUnpacked))
	if err != nil {
		return nil, fmt.Errorf("zstd: %w", err)
	}
	defer r.Close()
	plain, err := r.DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("zstd: %w", err)
	}
	return plain, nil
}

// mostUnpacked is more than any kernel has, in bytes.
const mostUnpacked = 1 << 30

func decompress(ctx context.Context, payload []byte) ([]byte, error) {
	for _, c := range compressors {
		if bytes.HasPrefix(payload, []byte(c.magic)) {
			return c.unpack(ctx, payload)
		}
	}
	return nil, fmt.Errorf("it begins with % x, no known compression", payload[:min(6, len(payload))])
}
