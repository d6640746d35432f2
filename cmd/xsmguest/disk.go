//go:build linux && (amd64 || 386)

package main

import (
	"fmt"
	"net"
	"syscall"

	"xsmbench/hv/xen/domain/xenstore"
)

// storeSocket is where dom0's xenstored listens.
const storeSocket = "/run/xenstored/socket"

// dialStore connects a process of dom0 to xenstore.
func dialStore() (*xenstore.Client, error) {
	conn, err := net.Dial("unix", storeSocket)
	if err != nil {
		return nil, fmt.Errorf("connect to xenstore: %w", err)
	}
	return xenstore.New(conn), nil
}

// connectDisk tells the backend which block device it serves.
func connectDisk(store *xenstore.Client, backend string) error {
	path, err := store.Read(backend + "/params")
	if err != nil {
		return err
	}
	var st syscall.Stat_t
	if err := syscall.Stat(path, &st); err != nil {
		return fmt.Errorf("look at %s: %w", path, err)
	}
	if st.Mode&syscall.S_IFMT != syscall.S_IFBLK {
		return fmt.Errorf("%s is no block device", path)
	}
	return store.Write(backend+"/physical-device", deviceNumber(uint64(st.Rdev)))
}

// deviceNumber is a device's number as backends read it: major and minor in
// hexadecimal.
func deviceNumber(device uint64) string {
	major := device >> 8 & 0xfff
	minor := device&0xff | device>>12&0xfff00
	return fmt.Sprintf("%x:%x", major, minor)
}
