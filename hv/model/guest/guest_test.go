package guest_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"xsmbench/bench"
	"xsmbench/hv/model"
	"xsmbench/hv/model/guest"
	"xsmbench/xsm"
)

// consoleText collects a machine's console.
type consoleText struct {
	mu sync.Mutex
	b  strings.Builder
}

func (c *consoleText) write(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.b.Write(b)
}

func (c *consoleText) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.b.String()
}

// inDom0 boots a machine whose dom0 runs f as its first process, and returns
// the console.
func inDom0(t testing.TB, f func(c *guest.Control)) string {
	t.Helper()
	var console consoleText
	defer func() {
		if t.Failed() {
			t.Logf("console:\n%s", console.String())
		}
	}()
	model.RegisterKernel(t.Name(), guest.Entry(guest.Config{Init: func(c *guest.Control) int {
		f(c)
		return 0
	}}))
	m, err := model.New(model.Config{
		Frames: 16384, CPUs: 2, Dom0Frames: 6144, Dom0VCPUs: 2,
		Modules: []xsm.BootModule{{Name: "kernel", Data: model.KernelImage(t.Name(), 1<<20)}},
		Console: console.write,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Stop()
	if err := m.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := m.Wait(ctx); err != nil {
		t.Fatalf("%v\nconsole:\n%s", err, console.String())
	}
	return console.String()
}

func TestBoot(t *testing.T) {
	var pid int
	inDom0(t, func(c *guest.Control) { pid = c.OS().Getpid() })
	if pid != 1 {
		t.Errorf("the first process is %d", pid)
	}
}

// TestIdleMissesNothing idles with an event on its way: the kernel must not block
// once it has taken it.
func TestIdleMissesNothing(t *testing.T) {
	var taken int
	inDom0(t, func(c *guest.Control) { taken = c.IdleWithPending() })
	if taken == 0 {
		t.Error("no event was delivered")
	}
}

func TestForkWait(t *testing.T) {
	inDom0(t, func(c *guest.Control) {
		for i := range 100 {
			pid, err := c.OS().Fork(func(os bench.OS) int { return i })
			if err != nil {
				t.Error(err)
			}
			status, err := c.OS().Wait(pid)
			if status != i || err != nil {
				t.Errorf("wait: status %d, %v", status, err)
			}
		}
	})
}
