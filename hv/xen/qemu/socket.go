package qemu

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// mostSocketName is how long the name of a Unix socket may be (sun_path in
// unix(7), with its terminating zero).
const mostSocketName = 107

// socketName is the name by which QEMU makes a socket, and the directory in
// which it must start for that, "" for any: the name of one in a deep directory
// is too long for a socket's address.
func socketName(path string) (dir, name string) {
	if len(path) <= mostSocketName {
		return "", path
	}
	return filepath.Split(path)
}

// dialSocket connects to a socket, however long its path is.
func dialSocket(ctx context.Context, path string) (net.Conn, error) {
	var dialer net.Dialer
	dir, name := socketName(path)
	if dir == "" {
		return dialer.DialContext(ctx, "unix", path)
	}
	folder, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	return dialer.DialContext(ctx, "unix", fmt.Sprintf("/proc/self/fd/%d/%s", folder.Fd(), name))
}
