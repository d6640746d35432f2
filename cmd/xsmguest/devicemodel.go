//go:build linux && (amd64 || 386)

package main

import (
	"fmt"
	"net"
	"os"

	"xsmbench/hv/xen/domain/devicemodel"
)

// asDeviceModel is the process that the toolstack starts for an HVM domU. The toolstack
// ends it by a signal.
func asDeviceModel(args []string) error {
	m, err := devicemodel.Parse(args)
	if err != nil {
		return err
	}
	server, err := devicemodel.NewServer(m.Domain)
	if err != nil {
		return err
	}
	go func() { exitWith(server.Run(func(err error) { fmt.Fprintln(os.Stderr, "xsmguest:", err) })) }()
	l, err := net.Listen("unix", m.Socket)
	if err != nil {
		return fmt.Errorf("start device model: %w", err)
	}
	store, err := dialStore()
	if err != nil {
		return err
	}
	if err := store.Write(m.StatePath(), devicemodel.Running); err != nil {
		return err
	}
	return devicemodel.Serve(l)
}
