//go:build linux && (amd64 || 386)

package hypercall

import (
	"os"
	"strings"
	"testing"
	"unsafe"
)

// TestDeviceNumbers compares with the numbers of a 64-bit program: both word
// sizes must come to them.
func TestDeviceNumbers(t *testing.T) {
	for _, n := range []struct{ got, want uint32 }{
		{privcmdHypercall, 0x305000}, {gntallocAlloc, 0x184705},
		{evtchnRemote, 0x084501}, {evtchnUnboundPort, 0x044502}, {evtchnUnbind, 0x044503}, {evtchnNotify, 0x044504},
	} {
		if n.got != n.want {
			t.Errorf("%#x, want %#x", n.got, n.want)
		}
	}
	var a allocation
	if off := unsafe.Offsetof(a.index); off != 8 || unsafe.Offsetof(a.ref) != 16 {
		t.Errorf("index at %d, reference at %d", off, unsafe.Offsetof(a.ref))
	}
}

func TestOpenWithoutXen(t *testing.T) {
	if _, err := os.Stat(privcmdPath); err == nil {
		t.Skip("this is a domain of Xen")
	}
	if _, err := Open(0, true, interfaceOf("4.17")); err == nil || !strings.HasPrefix(err.Error(), "open domain: open "+privcmdPath) {
		t.Errorf("error is %v", err)
	}
}
