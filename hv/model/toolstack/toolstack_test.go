package toolstack_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"xsmbench/abi"
	"xsmbench/bench"
	"xsmbench/hv/model"
	"xsmbench/hv/model/guest"
	"xsmbench/hv/model/toolstack"
	"xsmbench/xsm"
)

const (
	dom0Frames  = 6144
	guestFrames = 4096
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

// inDom0 boots a machine whose dom0 runs f.
func inDom0(t *testing.T, f func(*guest.Control, *toolstack.Toolstack)) {
	t.Helper()
	var console consoleText
	before := runtime.NumGoroutine()
	model.RegisterKernel(t.Name(), guest.Entry(guest.Config{Init: func(c *guest.Control) int {
		f(c, toolstack.New(c))
		return 0
	}}))
	m, err := model.New(model.Config{
		Frames: dom0Frames + 3*guestFrames + 2048, CPUs: 2, Dom0Frames: dom0Frames, Dom0VCPUs: 2,
		Modules: []xsm.BootModule{{Name: "kernel", Data: model.KernelImage(t.Name(), 1<<20)}},
		Console: console.write,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	err = m.Wait(ctx)
	m.Stop()
	if err != nil || t.Failed() {
		t.Errorf("%v\nconsole:\n%s", err, console.b.String())
	}
	for i := 0; runtime.NumGoroutine() > before; i++ {
		if i == 100 {
			t.Fatalf("%d goroutines are left, %d were there before", runtime.NumGoroutine(), before)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// spec describes a domain whose first process runs init.
func spec(t *testing.T, init func(*guest.Control) int) toolstack.Spec {
	name := strings.ReplaceAll(t.Name(), "/", "_") + "-U"
	model.RegisterKernel(name, guest.Entry(guest.Config{Init: init}))
	image := model.KernelImage(name, 1<<20)
	_, entry, err := model.LookupKernel(image)
	if err != nil {
		t.Error(err)
	}
	return toolstack.Spec{Name: name, Frames: guestFrames, VCPUs: 2, Weight: 256,
		Kernel: toolstack.Image{Data: image, Entry: entry}, Module: []byte("module"), CmdLine: "quiet"}
}

// connected binds dom0 to a domain's channels and collects its console.
type connected struct {
	c     *guest.Control
	ts    *toolstack.Toolstack
	d     *toolstack.Domain
	va    uint64
	ports []abi.Port
	ring  guest.ConsoleRing
	event *guest.Event
	text  []byte
}

func connect(t *testing.T, c *guest.Control, ts *toolstack.Toolstack, d *toolstack.Domain) *connected {
	x := &connected{c: c, ts: ts, d: d}
	for _, p := range []abi.Port{d.Store, d.Console} {
		port, err := ts.Bind(d, p)
		if err != nil {
			t.Error(err)
		}
		x.ports = append(x.ports, port)
	}
	va, err := c.MapFrames(d.ID, []abi.MFN{d.ConsoleMFN})
	if err != nil {
		t.Error(err)
	}
	x.va = va
	x.ring = guest.NewConsoleRing(c.Page(va))
	x.event = c.Listen(x.ports[1], func() { x.text = append(x.text, x.ring.Output()...) })
	return x
}

func (x *connected) destroy(t *testing.T) {
	x.event.Ignore()
	x.c.UnmapFrames(x.va, 1)
	for _, p := range x.ports {
		if err := x.ts.Close(p); err != nil {
			t.Error(err)
		}
	}
	if err := x.ts.Destroy(x.d); err != nil {
		t.Error(err)
	}
}

// waitDown waits until a domain has shut down and returns the reason.
func waitDown(t *testing.T, ts *toolstack.Toolstack, d *toolstack.Domain, died *guest.Event) uint32 {
	for {
		down, reason, err := ts.ShutDown(d)
		if err != nil {
			t.Error(err)
			return ^uint32(0)
		}
		if down {
			return reason
		}
		died.Wait()
	}
}

func listen(t *testing.T, c *guest.Control, ts *toolstack.Toolstack) *guest.Event {
	port, err := ts.BindVIRQ(abi.VIRQDomExc)
	if err != nil {
		t.Error(err)
	}
	return c.Listen(port, nil)
}

func freePages(t *testing.T, ts *toolstack.Toolstack) uint64 {
	info, err := ts.PhysInfo()
	if err != nil {
		t.Error(err)
	}
	return info.FreePages
}

// TestDomain builds domains, one after the other and two at once, that run
// processes and end, and checks that nothing of them is left.
func TestDomain(t *testing.T) {
	program := func(c *guest.Control) int {
		if c.BootID() == 0 || string(c.StartInfo().Module) != "module" {
			return 1
		}
		pid, err := c.OS().Fork(func(os bench.OS) int { return os.Exec("/bin/sh", "sh", "-c", "/bin/hello") })
		if err != nil {
			return 2
		}
		status, err := c.OS().Wait(pid)
		if status != 0 || err != nil {
			return 3
		}
		c.Printf("all is well\n")
		return 0
	}
	inDom0(t, func(c *guest.Control, ts *toolstack.Toolstack) {
		s := spec(t, program)
		died := listen(t, c, ts)
		first := freePages(t, ts)
		for _, count := range []int{1, 1, 2} {
			var list []*connected
			for range count {
				d, err := ts.Create(s)
				if err != nil {
					t.Error(err)
					return
				}
				list = append(list, connect(t, c, ts, d))
			}
			for _, x := range list {
				if err := ts.Unpause(x.d); err != nil {
					t.Error(err)
				}
			}
			for _, x := range list {
				if reason := waitDown(t, ts, x.d, died); reason != abi.ShutdownPoweroff {
					t.Errorf("domain %d shut down for reason %d", x.d.ID, reason)
				}
				x.text = append(x.text, x.ring.Output()...)
				if !strings.Contains(string(x.text), "all is well\n") {
					t.Errorf("domain %d printed %q", x.d.ID, x.text)
				}
				x.destroy(t)
				if _, err := ts.Info(x.d.ID); !errors.Is(err, abi.ESRCH) {
					t.Errorf("a destroyed domain's state: %v", err)
				}
			}
		}
		if now := freePages(t, ts); now != first {
			t.Errorf("%d frames free before, %d after", first, now)
		}
	})
}

// TestCrash: a domain's crash is its own.
func TestCrash(t *testing.T) {
	for _, c := range []struct {
		name string
		init func(*guest.Control) int
	}{
		{"status", func(*guest.Control) int { return 1 }},
		{"panic", func(*guest.Control) int { panic("lost") }},
		{"bad hypercall", func(c *guest.Control) int {
			c.MapFrames(0, []abi.MFN{1}) // refused, which the program ignores
			c.Hypercall(abi.MMUExtOp, &abi.Args{H: &abi.MMUExtArgs{Ops: []abi.MMUExtOpEntry{{Cmd: abi.NewBasePtr}}}})
			return 1
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inDom0(t, func(ctl *guest.Control, ts *toolstack.Toolstack) {
				died := listen(t, ctl, ts)
				first := freePages(t, ts)
				d, err := ts.Create(spec(t, c.init))
				if err != nil {
					t.Error(err)
					return
				}
				x := connect(t, ctl, ts, d)
				if err := ts.Unpause(d); err != nil {
					t.Error(err)
				}
				if reason := waitDown(t, ts, d, died); reason != abi.ShutdownCrash {
					t.Errorf("it shut down for reason %d", reason)
				}
				x.destroy(t)
				if now := freePages(t, ts); now != first {
					t.Errorf("%d frames free before, %d after", first, now)
				}
			})
		})
	}
}

// TestDestroyRunning destroys a domain whose processes wait for each other.
func TestDestroyRunning(t *testing.T) {
	inDom0(t, func(c *guest.Control, ts *toolstack.Toolstack) {
		first := freePages(t, ts)
		d, err := ts.Create(spec(t, func(c *guest.Control) int {
			os := c.OS()
			r, w, _ := os.Pipe()
			os.Fork(func(os bench.OS) int {
				for {
					os.Write(w, []byte{1})
					os.Yield()
				}
			})
			c.NotifyPort(c.StartInfo().StoreEvtchn)
			for {
				os.Read(r, make([]byte, 1))
			}
		}))
		if err != nil {
			t.Error(err)
			return
		}
		x := connect(t, c, ts, d)
		up := c.Listen(x.ports[0], nil)
		if err := ts.Unpause(d); err != nil {
			t.Error(err)
		}
		up.Wait()
		if err := ts.Pause(d); err != nil {
			t.Error(err)
		}
		info, err := ts.Info(d.ID)
		if err != nil || info.Flags&abi.DomInfPaused == 0 || info.TotPages < guestFrames {
			t.Errorf("%+v, %v", info, err)
		}
		if err := ts.Unpause(d); err != nil {
			t.Error(err)
		}
		up.Ignore()
		x.destroy(t)
		if now := freePages(t, ts); now != first {
			t.Errorf("%d frames free before, %d after", first, now)
		}
	})
}

// TestCreateFails: what fails on the way leaves nothing behind.
func TestCreateFails(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*toolstack.Spec)
		want   string
	}{
		{"no room for the kernel", func(s *toolstack.Spec) { s.Frames = 100 }, "lay out 100 frames"},
		{"more memory than there is", func(s *toolstack.Spec) { s.Frames = 1 << 20 }, "populate_physmap"},
		{"too many processors", func(s *toolstack.Spec) { s.VCPUs = 1000 }, "max_vcpus"},
		{"no entry point", func(s *toolstack.Spec) { s.Kernel.Entry = nil }, "entry point"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inDom0(t, func(ctl *guest.Control, ts *toolstack.Toolstack) {
				first := freePages(t, ts)
				s := spec(t, func(*guest.Control) int { return 0 })
				c.change(&s)
				d, err := ts.Create(s)
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("create: %v, %v; want an error with %q", d, err, c.want)
				}
				if now := freePages(t, ts); now != first {
					t.Errorf("%d frames free before, %d after", first, now)
				}
			})
		})
	}
}
