//go:build linux && (amd64 || 386)

// Command xsmguest is the first program of dom0 and of domU on the real Xen.
// In dom0 it starts the toolstack and the domU; in both it measures what its
// order asks for, by the same benchmarks that the model runs, and marks its
// windows. Dom0's reports go to QEMU's debug console, a domU's to its own
// console, which dom0 passes on.
//
// In a domain, the program must be static and linked at its domain's base (package
// protocol).
//
// With arguments it is a process of a host instead, where it measures what its
// standard input asks for and reports on its standard output. In domains it is also
// what the toolstack runs to connect devices, the device model of an HVM domU, and the
// server of package workloads/network: links to it have their names.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	_ "xsmbench/bench/kbench"
	_ "xsmbench/bench/lmbench"
	"xsmbench/hv/xen/protocol"
	_ "xsmbench/workloads/block"
	_ "xsmbench/workloads/domains"
	_ "xsmbench/workloads/kernbench"
	_ "xsmbench/workloads/network"
	_ "xsmbench/workloads/serve"
)

func main() {
	switch name := os.Args[0]; {
	case isScript(name):
		exitWith(asScript(name, os.Args[1:]))
	case name == protocol.ServerPath:
		exitWith(asServer(os.Args[1:]))
	case name == protocol.DeviceModel:
		exitWith(asDeviceModel(os.Args[1:]))
	}
	runtime.LockOSThread()
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(-1) // collected between benchmarks
	if isProcess() {
		if err := asProcess(os.Args[1:], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "xsmguest:", err)
			os.Exit(1)
		}
		return
	}
	fmt.Fprint(os.Stderr, protocol.Complaint("xsmguest: ", fmt.Sprint(boot())))
	abandon()
}

// exitWith ends a process of a domain.
func exitWith(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "xsmguest:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// boot brings the domain up and lives its life. It returns when the domain
// cannot go on.
func boot() error {
	if err := mountAll(); err != nil {
		return err
	}
	if err := loadModules(protocol.ModulesFile); err != nil {
		return err
	}
	domain, err := os.ReadFile(protocol.DomainFile)
	if err != nil {
		return fmt.Errorf("find out which domain this is: %w", err)
	}
	switch name := strings.TrimSpace(string(domain)); name {
	case "dom0":
		return bootDom0()
	case "idle":
		rest()
		return nil
	case protocol.Scratch:
		return bootScratch()
	default:
		return bootDomU(name)
	}
}

// rest does nothing, for ever. The run-time system would take an empty select
// for a deadlock.
func rest() {
	for {
		_ = syscall.Pause()
	}
}

// abandon ends a domain that cannot go on: dom0's end ends the machine.
func abandon() {
	time.Sleep(100 * time.Millisecond) // what was printed may still be on its way
	endMachine(protocol.ExitFailed)
	syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF)
}
