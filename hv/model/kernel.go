package model

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"xsmbench/abi"
)

// A kernel image is a boot module or a domain builder's input: bytes that
// begin with
//
//	offset 0   8 bytes  "XBKERNEL"
//	offset 8   2 bytes  length of the name, little-endian
//	offset 10           name
//
// and go on as they like. Its code is Go's and is found by the name.
const (
	kernelMagic  = "XBKERNEL"
	kernelHeader = len(kernelMagic) + 2
)

var kernels struct {
	sync.Mutex
	entries map[string]abi.VCPUEntry
}

// RegisterKernel makes a guest kernel known by name; entry is where its first
// vCPU starts. A later registration of the same name replaces an earlier one.
func RegisterKernel(name string, entry abi.VCPUEntry) {
	kernels.Lock()
	defer kernels.Unlock()
	if kernels.entries == nil {
		kernels.entries = map[string]abi.VCPUEntry{}
	}
	kernels.entries[name] = entry
}

// KernelImage makes an image of a registered kernel, size bytes long or as
// long as its header if that is more.
func KernelImage(name string, size int) []byte {
	img := make([]byte, max(size, kernelHeader+len(name)))
	copy(img, kernelMagic)
	binary.LittleEndian.PutUint16(img[len(kernelMagic):], uint16(len(name)))
	copy(img[kernelHeader:], name)
	return img
}

// LookupKernel finds the kernel that an image names.
func LookupKernel(image []byte) (name string, entry abi.VCPUEntry, err error) {
	if !bytes.HasPrefix(image, []byte(kernelMagic)) || len(image) < kernelHeader {
		return "", nil, fmt.Errorf("load kernel: no kernel image: it does not begin with %q", kernelMagic)
	}
	n := int(binary.LittleEndian.Uint16(image[len(kernelMagic):]))
	if len(image) < kernelHeader+n {
		return "", nil, fmt.Errorf("load kernel: image of %d bytes ends within the kernel's name", len(image))
	}
	name = string(image[kernelHeader : kernelHeader+n])
	kernels.Lock()
	defer kernels.Unlock()
	if entry = kernels.entries[name]; entry == nil {
		known := slices.Sorted(maps.Keys(kernels.entries))
		return "", nil, fmt.Errorf("load kernel: no kernel %q in this program, it has: %s", name, strings.Join(known, ", "))
	}
	return name, entry, nil
}
