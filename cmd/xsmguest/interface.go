//go:build linux && (amd64 || 386)

package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"xsmbench/bench"
	"xsmbench/hv/xen/protocol"
)

// frontend is the domU's network interface.
const frontend = "eth0"

// raiseFrontend waits for the domU's network interface, brings it up, and waits until
// dom0 is at its other end.
func raiseFrontend() error {
	if err := awaitFile("/sys/class/net/" + frontend); err != nil {
		return err
	}
	if err := raise(frontend, protocol.DomUAddress, protocol.Dom0Address, protocol.Dom0MAC); err != nil {
		return err
	}
	return awaitCarrier(frontend)
}

// awaitCarrier waits until something is at the other end of a network interface.
func awaitCarrier(name string) error {
	for begun := time.Now(); time.Since(begun) < deviceTime; time.Sleep(look) {
		if text, err := os.ReadFile("/sys/class/net/" + name + "/carrier"); err == nil && strings.TrimSpace(string(text)) == "1" {
			return nil
		}
	}
	return fmt.Errorf("nothing is at the other end of %s after %v", name, deviceTime)
}

// raise gives a network interface its address and brings it up. It knows the other
// end's address of the link, so that neither asks for it: a question in a window
// would be counted.
func raise(name string, own, other bench.Host, mac string) error {
	// Nobody here speaks IPv6: its announcements would come at any time.
	err := os.WriteFile("/proc/sys/net/ipv6/conf/"+name+"/disable_ipv6", []byte("1\n"), 0)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("bring %s up: %w", name, err)
	}
	defer syscall.Close(fd)
	link, err := net.ParseMAC(mac)
	if err != nil {
		return err
	}
	mask := net.CIDRMask(protocol.Prefix, 32)
	up := interfaceFlags(name, syscall.IFF_UP|syscall.IFF_RUNNING)
	for _, step := range []struct {
		what    string
		request uintptr
		data    unsafe.Pointer
	}{
		{"set its address", syscall.SIOCSIFADDR, unsafe.Pointer(interfaceAddress(name, own[:]))},
		{"set its network", syscall.SIOCSIFNETMASK, unsafe.Pointer(interfaceAddress(name, mask))},
		{"bring it up", syscall.SIOCSIFFLAGS, unsafe.Pointer(up)},
		{"name its neighbour", syscall.SIOCSARP, unsafe.Pointer(neighbour(name, other, link))},
	} {
		if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), step.request, uintptr(step.data)); e != 0 {
			return fmt.Errorf("%s: %s: %w", name, step.what, e)
		}
	}
	return nil
}

// interfaceRequest is a struct ifreq, whose union is a struct sockaddr or flags.
type interfaceRequest struct {
	name [syscall.IFNAMSIZ]byte
	data [24]byte
}

func interfaceAddress(name string, address []byte) *interfaceRequest {
	r := &interfaceRequest{}
	copy(r.name[:syscall.IFNAMSIZ-1], name)
	putAddress(r.data[:16], address)
	return r
}

func interfaceFlags(name string, flags uint16) *interfaceRequest {
	r := &interfaceRequest{}
	copy(r.name[:syscall.IFNAMSIZ-1], name)
	r.data[0], r.data[1] = byte(flags), byte(flags>>8)
	return r
}

// putAddress writes a struct sockaddr_in without a port.
func putAddress(to, address []byte) {
	to[0] = syscall.AF_INET
	copy(to[4:8], address)
}

// arpRequest is a struct arpreq.
type arpRequest struct {
	protocol, hardware [16]byte
	flags              int32
	mask               [16]byte
	device             [16]byte
}

// Flags of an arpRequest: the entry is complete, and stays.
const (
	arpComplete  = 2
	arpPermanent = 4
)

func neighbour(name string, host bench.Host, mac net.HardwareAddr) *arpRequest {
	r := &arpRequest{flags: arpComplete | arpPermanent}
	putAddress(r.protocol[:], host[:])
	r.hardware[0] = 1 // ARPHRD_ETHER
	copy(r.hardware[2:], mac)
	copy(r.device[:15], name)
	return r
}

// isScript tells the agent that the toolstack runs to connect a device from others.
func isScript(path string) bool {
	return path == protocol.DiskScript || path == protocol.NetworkScript
}

// asScript connects a device in dom0, as the scripts of a distribution do: xl tells by
// the environment where the backend is in xenstore.
func asScript(path string, args []string) error {
	if len(args) == 0 || args[0] != "add" && args[0] != "online" {
		return nil // nothing is to be undone
	}
	backend := os.Getenv("XENBUS_PATH")
	store, err := dialStore()
	if err != nil {
		return err
	}
	if path == protocol.NetworkScript {
		vif := os.Getenv("vif")
		if vif == "" {
			return fmt.Errorf("%s: the toolstack names no interface", filepath.Base(path))
		}
		if err := awaitFile("/sys/class/net/" + vif); err != nil {
			return err
		}
		if err := raise(vif, protocol.Dom0Address, protocol.DomUAddress, protocol.DomUMAC); err != nil {
			return err
		}
	} else if err := connectDisk(store, backend); err != nil {
		return err
	}
	return store.Write(backend+"/hotplug-status", "connected")
}
