//go:build linux && (amd64 || 386)

package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"xsmbench/abi"
	"xsmbench/hv/xen/domain/xenstore"
	"xsmbench/hv/xen/protocol"
)

// bootDomU answers dom0's offer and then does what it is ordered to.
func bootDomU(name string) error {
	device, err := os.OpenFile("/dev/xen/xenbus", os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("connect to xenstore: %w", err)
	}
	store := xenstore.New(device)
	id, err := store.Read("domid")
	if err != nil {
		return err
	}
	n, err := strconv.ParseUint(strings.TrimSpace(id), 10, 15)
	if err != nil {
		return fmt.Errorf("find out the own number: %q", id)
	}
	calls, err := openCalls(abi.DomID(n), false)
	if err != nil {
		return err
	}
	offer, err := store.Await(protocol.StoreOffer)
	if err != nil {
		return err
	}
	answer, err := calls.Accept(0, offer)
	if err != nil {
		return err
	}
	have, err := findDevices(name)
	if err != nil {
		return err
	}
	if err := calls.Settle(); err != nil {
		return err
	}
	if err := store.Write(protocol.StoreAnswer, answer); err != nil {
		return err
	}
	order, err := awaitOrder(store, newSession(calls, have))
	if err != nil {
		return err
	}
	failed := measure(name, order, calls, have, neighbourOfDomU(store, order.Plan), os.Stdout)
	done := "done"
	if failed != nil {
		done = failed.Error()
		fmt.Fprintln(os.Stderr, "xsmguest:", failed)
	}
	if err := store.Write(protocol.StoreDone, done); err != nil {
		return err
	}
	rest() // dom0 ends the machine
	return nil
}
