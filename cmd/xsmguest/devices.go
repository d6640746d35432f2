//go:build linux && (amd64 || 386)

package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"xsmbench/bench"
	"xsmbench/hv/xen/domain/linux"
	"xsmbench/hv/xen/protocol"
	"xsmbench/workloads/network"
)

// devices are what this domain has beside what all have: those of its plan's
// equipment. What should be there and is not has a reason.
type devices struct {
	disk   string     // a block device's path, "" for none
	server bench.Host // in the other domain, the zero address for none
	// toolstack makes the scratch domain, nil for none.
	toolstack bench.Toolstack
	lacks     map[bench.Facility]string
}

// deviceTime is how long a device may take until it is there.
const deviceTime = 20 * time.Second

// findDevices loads the modules of devices, waits for them and readies them. dom0
// does so before there is a domU.
func findDevices(domain string) (*devices, error) {
	d := &devices{}
	var err error
	if d.lacks, err = readLacks(); err != nil {
		return nil, err
	}
	if err := loadModules(protocol.DeviceModulesFile); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if domain == "dom0" {
		return d, nil
	}
	if loaded("xen_blkfront") {
		if err := awaitFile(protocol.Disk); err != nil {
			d.lacks[bench.BlockIO] = err.Error()
		} else {
			d.disk = protocol.Disk
		}
	}
	if loaded("xen_netfront") {
		if err := raiseFrontend(); err != nil {
			d.lacks[bench.Neighbours] = err.Error()
		} else {
			d.offer(protocol.DomUAddress, protocol.Dom0Address)
		}
	}
	return d, nil
}

// readLacks reads what the host could not give.
func readLacks() (map[bench.Facility]string, error) {
	lacks := map[bench.Facility]string{}
	text, err := os.ReadFile(protocol.LacksFile)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		if facility, why, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			lacks[bench.Facility(facility)] = why
		}
	}
	return lacks, nil
}

// loaded reports whether a kernel module is there, by the name that the kernel has
// for it.
func loaded(module string) bool {
	_, err := os.Stat("/sys/module/" + module)
	return err == nil
}

// awaitFile waits until a file is there.
func awaitFile(name string) error {
	for begun := time.Now(); time.Since(begun) < deviceTime; time.Sleep(look) {
		if _, err := os.Stat(name); err == nil {
			return nil
		}
	}
	return fmt.Errorf("there is no %s after %v", name, deviceTime)
}

// equip puts the devices into what an OS is made of.
func (d *devices) equip(c *linux.Config) {
	if d == nil {
		return
	}
	c.Virtual, c.Server, c.Toolstack, c.Lacks = d.disk, d.server, d.toolstack, d.lacks
}

// offer starts this domain's server, and knows the other's. Without it, the network is
// not measured, with the reason.
func (d *devices) offer(own, other bench.Host) {
	d.server = other
	if err := serve(own); err != nil {
		d.server = bench.Host{}
		d.lacks[bench.Neighbours] = err.Error()
	}
}

// serve starts the server of package workloads/network as a process of its own, which
// listens when serve returns.
func serve(address bench.Host) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	p, err := os.StartProcess(protocol.ServerPath, []string{protocol.ServerPath, net.IP(address[:]).String()}, &os.ProcAttr{
		Files: []*os.File{nil, w, os.Stderr}, Env: []string{"GODEBUG=asyncpreemptoff=1"},
	})
	w.Close()
	if err != nil {
		return fmt.Errorf("start server: %w", err)
	}
	if err := p.Release(); err != nil {
		return err
	}
	if n, err := r.Read(make([]byte, 1)); n != 1 {
		return fmt.Errorf("start server: it does not listen: %w", err)
	}
	return nil
}

// asServer is the server's process: it says that it listens, and serves.
func asServer(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("serve: %d arguments, not an address", len(args))
	}
	l, err := net.Listen("tcp4", fmt.Sprintf("%s:%d", args[0], network.Port))
	if err != nil {
		return err
	}
	if _, err := os.Stdout.Write([]byte{1}); err != nil {
		return err
	}
	os.Stdout.Close()
	return network.Serve(l)
}
