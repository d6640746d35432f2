// Package devicemodel is the device model of an HVM domain, as far as Linux without any device
// needs one: a process in dom0 that tells Xen's toolstack that it runs, and answers it on a
// socket. Of hardware it has Xen's platform device alone, without which Linux has no grants in such a
// domain (drivers/xen/platform-pci.c). There is no disk, network or screen; what accesses anything else
// gets Xen's own answer, all ones. To its kernel the domain gets without a device
// (image.Firmware).
//
// The toolstack starts it as it starts QEMU, waits until "running" is in xenstore, and speaks
// the QEMU Machine Protocol with it (tools/libs/light/libxl_dm.c and libxl_qmp.c). Xen sends it
// accesses in a page that both share (xen/common/ioreq.c).
package devicemodel

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"xsmbench/abi"
)

// Model is the device model of one domain.
type Model struct {
	Domain abi.DomID
	Socket string // where the toolstack connects
}

// Arguments of QEMU's that count here.
const (
	optionDomain = "-xen-domid"
	optionSocket = "-chardev"
	monitorID    = "id=libxl-cmd"
)

// Parse reads what the toolstack starts QEMU with. Options for devices are left unread.
func Parse(args []string) (Model, error) {
	m := Model{}
	for i := 0; i+1 < len(args); i++ {
		switch value := args[i+1]; args[i] {
		case optionDomain:
			n, err := strconv.ParseUint(value, 10, 15)
			if err != nil {
				return m, fmt.Errorf("read the device model's arguments: %s %q", optionDomain, value)
			}
			m.Domain = abi.DomID(n)
		case optionSocket:
			if path, ok := monitorPath(value); ok {
				m.Socket = path
			}
		}
	}
	switch {
	case m.Domain == 0:
		return m, fmt.Errorf("read the device model's arguments: no %s", optionDomain)
	case m.Socket == "":
		return m, fmt.Errorf("read the device model's arguments: no %s with %s and a path", optionSocket, monitorID)
	}
	return m, nil
}

// monitorPath finds the path of the toolstack's socket in the description of a channel.
func monitorPath(channel string) (path string, ok bool) {
	for word := range strings.SplitSeq(channel, ",") {
		if p, found := strings.CutPrefix(word, "path="); found {
			path = p
		}
		ok = ok || word == monitorID
	}
	return path, ok && path != ""
}

// StatePath is where xenstore has the state, which the toolstack waits for to be Running.
func (m Model) StatePath() string {
	return fmt.Sprintf("/local/domain/0/device-model/%d/state", m.Domain)
}

// Running is the state of a device model that is ready.
const Running = "running"

// Serve answers the connections that come, one after the other as QEMU does, until the
// listener is closed.
func Serve(l net.Listener) error {
	m := &monitor{}
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("serve the toolstack: %w", err)
		}
		m.converse(conn) // whose end is no failure: the toolstack connects for each question
		conn.Close()
	}
}
