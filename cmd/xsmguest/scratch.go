//go:build linux && (amd64 || 386)

package main

import (
	"fmt"
	"os"

	"xsmbench/abi"
	"xsmbench/bench"
	"xsmbench/hv/xen/domain/hypercall"
	"xsmbench/hv/xen/domain/xenstore"
	"xsmbench/hv/xen/domain/xl"
	"xsmbench/hv/xen/protocol"
)

// bootScratch is the life of the domain that dom0 makes and ends: it answers.
func bootScratch() error {
	device, err := os.OpenFile("/dev/xen/xenbus", os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("connect to xenstore: %w", err)
	}
	return xl.Answer(xenstore.New(device))
}

// scratchMaker is what makes the scratch domain, nil if dom0 has no description of
// one.
func (d *dom0) scratchMaker() bench.Toolstack {
	if _, err := os.Stat(protocol.ScratchConfig); err != nil {
		return nil
	}
	return xl.New(xl.Config{
		Program: toolstack + "xl", Helper: protocol.SaveHelper, Path: toolPath,
		Name: protocol.Scratch, Domain: protocol.ScratchConfig, Save: "/tmp/scratch.save",
		Memory: protocol.ScratchMemory << 20, Store: d.store,
		Free: func() (int64, error) { return freeMemory(d.calls) },
	})
}

const pageSize = 4096

// freeMemory asks Xen for what it has left, in bytes.
func freeMemory(calls *hypercall.Domain) (int64, error) {
	s := &abi.Sysctl{Cmd: abi.SysctlPhysInfo}
	call, err := calls.Prepare(abi.SysctlOp, &abi.Args{H: s})
	if err != nil {
		return 0, err
	}
	if r := call(); r < 0 {
		return 0, abi.Errno(-r)
	}
	return int64(s.Phys.FreePages) * pageSize, nil
}
