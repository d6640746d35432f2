package fakeqemu

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"xsmbench/hv/xen/protocol"
)

// print prints a line on the console.
func (f *fake) print(line string) { fmt.Fprintln(f.console, line+"\r") }

// fail does what can go wrong at any time.
func (f *fake) fail(how, domain string) {
	if f.scenario.Domain != "" && domain != f.scenario.Domain {
		return
	}
	switch how {
	case "killed":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		hang()
	case "usage":
		complain("-machine foo: unsupported machine type")
	case "hang":
		hang()
	case "babble":
		for {
			f.print("still booting")
			time.Sleep(20 * time.Millisecond)
		}
	case "kernel panic":
		f.print("[    1.234567] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100")
		f.print("[    1.234568] Rebooting in 1 seconds..")
		os.Exit(0)
	case "xen panic":
		f.print("(XEN) ****************************************")
		f.print("(XEN) Panic on CPU 0:")
		f.print("(XEN) Assertion 'd != NULL' failed at hooks.c:42")
		f.print("(XEN) Reboot in five seconds...")
		os.Exit(0)
	case "denied":
		f.print("(XEN) avc:  denied  { create } for domid=0 scontext=system_u:system_r:dom0_t tcontext=system_u:system_r:domU_t tclass=domain")
		f.print("dom0 gives up: create domU: permission denied")
		os.Exit(protocol.StatusFailed)
	case "agent gives up":
		f.print("xsmguest: run /usr/lib/xsmbench/toolstack/xl create: exit status 1: out of memory")
		os.Exit(protocol.StatusFailed)
	case "agent gives up in silence":
		os.Exit(protocol.StatusFailed)
	}
}
