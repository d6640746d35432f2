//go:build linux && (amd64 || 386)

// Package pc is the devices by which a privileged domain talks to the QEMU
// that runs it, beside Xen and the guest kernel: the firmware device, the
// debug console, and the ports that stop and end the machine. They are read
// and written by port instructions, which Xen emulates: no interrupt, no
// driver and no buffer is involved, and a byte that was written has arrived.
//
// Many bytes are read and written by one string instruction. For a single one Xen
// writes code of its own first (io_emul_stub_setup in arch/x86/pv/emul-priv-op.c),
// which QEMU has to translate again each time.
package pc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"syscall"
)

// Ports and selectors of the firmware device (QEMU, docs/specs/fw_cfg.rst).
const (
	firmwareSelector  = 0x510
	firmwareData      = 0x511
	firmwareDirectory = 0x19
	firmwareEntry     = 64 // bytes of a directory entry
	mostFiles         = 256
	mostBytes         = 1 << 20
)

// withPorts runs f on a thread that may use ports, and gives the right back:
// while a thread has it, every switch to or from it in the guest kernel costs a
// hypercall, and so it does for the processes it starts.
func withPorts(f func()) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if _, _, e := syscall.RawSyscall(syscall.SYS_IOPL, 3, 0, 0); e != 0 {
		return fmt.Errorf("get access to ports: %w", e)
	}
	f()
	if _, _, e := syscall.RawSyscall(syscall.SYS_IOPL, 0, 0, 0); e != 0 {
		return fmt.Errorf("give up access to ports: %w", e)
	}
	return nil
}

// out8 and out16 are port instructions, outs and ins their string forms.
func out8(port uint16, value uint8)
func out16(port uint16, value uint16)

//go:noescape
func outs(port uint16, from *byte, n uintptr)

//go:noescape
func ins(port uint16, to *byte, n uintptr)

// Write writes a byte to a port.
func Write(port uint16, value byte) error {
	return withPorts(func() { out8(port, value) })
}

// Console is a debug console: what is written to it is in QEMU's file.
type Console uint16

// Write writes all of b.
func (c Console) Write(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if err := withPorts(func() { outs(uint16(c), &b[0], uintptr(len(b))) }); err != nil {
		return 0, err
	}
	return len(b), nil
}

// ErrNoFile is the cause when the firmware device has no such file.
var ErrNoFile = errors.New("the firmware device has no such file")

// Firmware reads a file of the firmware device.
func Firmware(name string) (content string, err error) {
	if e := withPorts(func() { content, err = firmware(name) }); e != nil {
		return "", e
	}
	return content, err
}

func firmware(name string) (string, error) {
	select16(firmwareDirectory)
	count := binary.BigEndian.Uint32(read(4))
	if count > mostFiles {
		return "", fmt.Errorf("read firmware file %s: a directory of %d files; is this QEMU?", name, count)
	}
	for range count {
		entry := read(firmwareEntry)
		if strings.TrimRight(string(entry[8:]), "\x00") != name {
			continue
		}
		size := binary.BigEndian.Uint32(entry)
		if size > mostBytes {
			return "", fmt.Errorf("read firmware file %s: it has %d bytes", name, size)
		}
		select16(binary.BigEndian.Uint16(entry[4:]))
		return string(read(int(size))), nil
	}
	return "", fmt.Errorf("read firmware file %s: %w", name, ErrNoFile)
}

func select16(key uint16) { out16(firmwareSelector, key) }

func read(n int) []byte {
	// Where a page is not there yet, Xen has read the byte when it meets the fault,
	// and reads the next one afterwards (priv_op_rep_ins): all are touched before.
	b := bytes.Repeat([]byte{0xff}, n)
	if n > 0 {
		ins(firmwareData, &b[0], uintptr(n))
	}
	return b
}
