package history

import (
	"runtime"
	"syscall"
	"testing"
)

// becomeNobody makes root's thread that of another user to the file system,
// until the test ends.
func becomeNobody(t *testing.T) {
	t.Helper()
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
	if err := syscall.Setfsuid(65534); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Setfsuid(0) })
}
