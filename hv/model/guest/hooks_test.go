//go:build xsm && xsmcount

package guest_test

import (
	"testing"

	"xsmbench/abi"
	"xsmbench/bench"
	"xsmbench/hv/model/guest"
	"xsmbench/xsm"
)

// crossed counts the hooks that an operation crosses and what the kernel did
// for it.
func crossed(c *guest.Control, op func()) (map[string]int, guest.Stats) {
	before := c.Stats()
	xsm.ResetCounts()
	op()
	counts := xsm.Counts()
	after := c.Stats()
	hooks := map[string]int{}
	for i, n := range counts {
		if n != 0 {
			hooks[xsm.Names[i]] = int(n)
		}
	}
	return hooks, guest.Stats{
		Faults:      after.Faults - before.Faults,
		Copies:      after.Copies - before.Copies,
		TablesAdded: after.TablesAdded - before.TablesAdded,
		TablesFreed: after.TablesFreed - before.TablesFreed,
		Pins:        after.Pins - before.Pins,
		PinnedPages: after.PinnedPages - before.PinnedPages,
		Unpinned:    after.Unpinned - before.Unpinned,
		Reprotected: after.Reprotected - before.Reprotected,
	}
}

// expect compares what was crossed with what an operation must cross: one
// update_va_mapping per fault, per page table that is added or freed, and per
// table of an address space that is pinned or unpinned; one mmu_normal_update
// per table added or freed; one memory_pin_page per pin.
func expect(t *testing.T, name string, got map[string]int, s guest.Stats) {
	t.Helper()
	want := map[string]int{
		"update_va_mapping": int(s.Faults + s.TablesAdded + s.TablesFreed + s.PinnedPages + s.Unpinned + s.Reprotected),
		"mmu_normal_update": int(s.TablesAdded + s.TablesFreed),
		"memory_pin_page":   int(s.Pins),
	}
	for hook, n := range want {
		if got[hook] != n {
			t.Errorf("%s: %s crossed %d times, want %d (%+v)", name, hook, got[hook], n, s)
		}
		delete(got, hook)
	}
	for hook, n := range got {
		t.Errorf("%s: %s crossed %d times, want none", name, hook, n)
	}
}

// TestHooksOfSystemCalls: what touches no memory mapping crosses no hook.
func TestHooksOfSystemCalls(t *testing.T) {
	inDom0(t, func(c *guest.Control) {
		os := c.OS()
		zero, _ := os.Open("/dev/zero", bench.O_RDWR)
		null, _ := os.Open("/dev/null", bench.O_RDWR)
		r, w, _ := os.Pipe()
		b := make([]byte, 1)
		var st bench.Stat
		var set bench.FDSet
		ro, _ := os.Mmap(abi.PageSize, bench.PROT_READ, bench.MAP_PRIVATE|bench.MAP_ANONYMOUS, -1, 0)
		rw, _ := os.Mmap(abi.PageSize, bench.PROT_READ|bench.PROT_WRITE, bench.MAP_PRIVATE|bench.MAP_ANONYMOUS, -1, 0)
		os.Load(ro)
		os.Store(rw, 1)
		os.Sigaction(bench.SIGUSR1, func(bench.Signal) {})
		os.Kill(os.Getpid(), bench.SIGUSR1) // the stack's page is there now
		for _, o := range []struct {
			name string
			op   func()
		}{
			{"null", func() { os.Getppid() }},
			{"read", func() { os.Read(zero, b) }},
			{"write", func() { os.Write(null, b) }},
			{"stat", func() { os.Stat("/bin/hello", &st) }},
			{"fstat", func() { os.Fstat(zero, &st) }},
			{"open and close", func() {
				fd, _ := os.Open("/dev/zero", bench.O_RDONLY)
				os.Close(fd)
			}},
			{"select", func() { os.Select(10, &set) }},
			{"signal install", func() { os.Sigaction(bench.SIGUSR1, func(bench.Signal) {}) }},
			{"signal catch", func() { os.Kill(os.Getpid(), bench.SIGUSR1) }},
			{"pipe in one process", func() { os.Write(w, b); os.Read(r, b) }},
			{"load and store", func() { os.Load(ro); os.Store(rw, 2) }},
			{"msync", func() { os.Msync(rw, abi.PageSize) }},
		} {
			hooks, _ := crossed(c, func() {
				for range 10 {
					o.op()
				}
			})
			for hook, n := range hooks {
				t.Errorf("%s: %s crossed %d times in 10 operations", o.name, hook, n)
			}
		}
	})
}

// TestHooksOfProtectionFault: the fault itself crosses none.
func TestHooksOfProtectionFault(t *testing.T) {
	inDom0(t, func(c *guest.Control) {
		os := c.OS()
		a, _ := os.Mmap(abi.PageSize, bench.PROT_READ, bench.MAP_PRIVATE|bench.MAP_ANONYMOUS, -1, 0)
		os.Load(a)
		os.Sigaction(bench.SIGUSR1, func(bench.Signal) {})
		os.Kill(os.Getpid(), bench.SIGUSR1)
		var hooks map[string]int
		n := 0
		os.Sigaction(bench.SIGSEGV, func(bench.Signal) {
			switch n++; n {
			case 1:
				xsm.ResetCounts()
			case 11:
				hooks = crossedSoFar()
				os.Mprotect(a, abi.PageSize, bench.PROT_READ|bench.PROT_WRITE)
			}
		})
		os.Store(a, 1)
		if n != 11 || len(hooks) != 0 {
			t.Errorf("%d protection faults crossed %v", n, hooks)
		}
	})
}

func crossedSoFar() map[string]int {
	hooks := map[string]int{}
	for i, n := range xsm.Counts() {
		if n != 0 {
			hooks[xsm.Names[i]] = int(n)
		}
	}
	return hooks
}

// TestHooksOfSwitches: a round trip between processes crosses none.
func TestHooksOfSwitches(t *testing.T) {
	inDom0(t, func(c *guest.Control) {
		os := c.OS()
		a, b, _ := os.Socketpair()
		pid, _ := os.Fork(func(os bench.OS) int {
			os.Close(a)
			buf := make([]byte, 1)
			for {
				if n, _ := os.Read(b, buf); n == 0 {
					return 0
				}
				os.Write(b, buf)
			}
		})
		os.Close(b)
		buf := make([]byte, 1)
		trip := func() { os.Write(a, buf); os.Read(a, buf) }
		trip()
		hooks, s := crossed(c, func() {
			for range 100 {
				trip()
			}
		})
		if len(hooks) != 0 {
			t.Errorf("100 round trips crossed %v (%+v)", hooks, s)
		}
		os.Close(a)
		os.Wait(pid)
	})
}

// TestHooksOfFaults: one update_va_mapping each, and for a new page table one
// more and an mmu_normal_update.
func TestHooksOfFaults(t *testing.T) {
	const page, k = abi.PageSize, 20
	const rw = bench.PROT_READ | bench.PROT_WRITE
	inDom0(t, func(c *guest.Control) {
		os := c.OS()
		fd, _ := os.Open("/tmp/f", bench.O_RDWR|bench.O_CREAT)
		os.Write(fd, make([]byte, k*page))
		for _, m := range []struct {
			name  string
			flags int
			write bool
		}{
			{"file, shared, read", bench.MAP_SHARED, false},
			{"file, shared, write", bench.MAP_SHARED, true},
			{"file, private, write", bench.MAP_PRIVATE, true},
			{"anonymous, read", bench.MAP_PRIVATE | bench.MAP_ANONYMOUS, false},
			{"anonymous, write", bench.MAP_PRIVATE | bench.MAP_ANONYMOUS, true},
		} {
			hooks, s := crossed(c, func() {
				a, err := os.Mmap(k*page, rw, m.flags, fd, 0)
				if err != nil {
					t.Error(err)
					return
				}
				for i := range bench.Addr(k) {
					if m.write {
						os.Store(a+i*page, 1)
					} else {
						os.Load(a + i*page)
					}
				}
				os.Munmap(a, k*page)
			})
			if s.Faults != k || s.TablesAdded > 1 || s.TablesFreed != s.TablesAdded {
				t.Errorf("%s: the kernel counts %+v", m.name, s)
			}
			expect(t, m.name, hooks, s)
		}

		// A mapping that has no neighbours within what a page table covers
		// needs one of its own, which munmap frees.
		var big bench.Addr
		hooks, s := crossed(c, func() {
			big, _ = os.Mmap(8<<20, rw, bench.MAP_PRIVATE|bench.MAP_ANONYMOUS, -1, 0)
			os.Store(big+4<<20, 1)
		})
		if s.Faults != 1 || s.TablesAdded != 1 {
			t.Errorf("new page table: the kernel counts %+v", s)
		}
		expect(t, "new page table", hooks, s)
		hooks, s = crossed(c, func() { os.Munmap(big, 8<<20) })
		if s.TablesFreed != 1 {
			t.Errorf("freed page table: the kernel counts %+v", s)
		}
		expect(t, "freed page table", hooks, s)
	})
}

// TestHooksOfCopyOnWrite: one update_va_mapping per page copied, none for
// what fork does to the parent.
func TestHooksOfCopyOnWrite(t *testing.T) {
	const page, k = abi.PageSize, 16
	inDom0(t, func(c *guest.Control) {
		os := c.OS()
		a, _ := os.Mmap(k*page, bench.PROT_READ|bench.PROT_WRITE, bench.MAP_PRIVATE|bench.MAP_ANONYMOUS, -1, 0)
		for i := range bench.Addr(k) {
			os.Store(a+i*page, 1)
		}
		pid, _ := os.Fork(func(os bench.OS) int {
			hooks, s := crossed(c, func() {
				for i := range bench.Addr(k) {
					os.Store(a+i*page, 2)
				}
			})
			if s.Faults != k || s.Copies != k {
				t.Errorf("the kernel counts %+v", s)
			}
			expect(t, "copy on write", hooks, s)
			return 0
		})
		os.Wait(pid)
	})
}

// TestHooksOfProcesses: fork, exit and wait make 2(T+1) update_va_mapping, one
// memory_pin_page and one update_va_mapping per fault, T being the page tables
// of the child below the top. An exec pins a second address space, that has
// no tables yet (or the four of PAE), and adds its tables one by one.
func TestHooksOfProcesses(t *testing.T) {
	inDom0(t, func(c *guest.Control) {
		os := c.OS()
		for _, o := range []struct {
			name string
			op   func()
			pins uint64
		}{
			{"fork+exit+wait", func() {
				pid, _ := os.Fork(func(bench.OS) int { return 0 })
				os.Wait(pid)
			}, 1},
			{"fork+exec+wait", func() {
				pid, _ := os.Fork(func(os bench.OS) int { return os.Exec("/bin/hello", "/bin/hello") })
				os.Wait(pid)
			}, 2},
			{"fork+sh -c+wait", func() {
				pid, _ := os.Fork(func(os bench.OS) int { return os.Exec("/bin/sh", "sh", "-c", "/bin/hello") })
				os.Wait(pid)
			}, 4},
		} {
			o.op() // the first one finds pages that nobody has written yet
			hooks, s := crossed(c, o.op)
			if s.Pins != o.pins || s.Faults == 0 || s.PinnedPages < o.pins || s.Unpinned != s.PinnedPages+s.TablesAdded-s.TablesFreed {
				t.Errorf("%s: the kernel counts %+v", o.name, s)
			}
			expect(t, o.name, hooks, s)
			t.Logf("%s: %v, T+1 in all %d, %d faults", o.name, s, s.PinnedPages, s.Faults)
		}

		// T of the child is what the kernel has for it.
		tables := 0
		var hooks map[string]int
		var s guest.Stats
		hooks, s = crossed(c, func() {
			pid, _ := os.Fork(func(os bench.OS) int {
				tables = guest.TablesOf(os)
				return 0
			})
			os.Wait(pid)
		})
		faults := int(s.Faults)
		if want := (tables + 1 - int(s.TablesAdded)) + (tables + 1) + faults + int(s.TablesAdded); hooks["update_va_mapping"] != want {
			t.Errorf("fork+exit+wait with T=%d and %d faults: update_va_mapping crossed %d times, want %d", tables, faults, hooks["update_va_mapping"], want)
		}
	})
}
