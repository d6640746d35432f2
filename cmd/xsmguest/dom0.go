//go:build linux && (amd64 || 386)

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"xsmbench/abi"
	"xsmbench/hv/xen/domain/hypercall"
	"xsmbench/hv/xen/domain/pc"
	"xsmbench/hv/xen/domain/xenstore"
	"xsmbench/hv/xen/protocol"
)

// dom0 is the control domain with the domU that it has made.
type dom0 struct {
	calls   *hypercall.Domain
	store   *xenstore.Client
	domU    abi.DomID
	have    *devices
	results pc.Console
}

func bootDom0() error {
	d := dom0{results: protocol.ResultsPort}
	if _, err := os.Stat(protocol.ToolstackDir); err == nil {
		if err := d.startToolstack(); err != nil {
			return err
		}
	}
	var err error
	if d.calls, err = openCalls(0, true); err != nil {
		return err
	}
	if err := d.enforce(); err != nil {
		return err
	}
	if d.have, err = findDevices("dom0"); err != nil {
		return err
	}
	if err := d.startDomUs(); err != nil {
		return err
	}
	d.have.toolstack = d.scratchMaker()
	if loaded("xen_netback") && d.domU != 0 {
		d.have.offer(protocol.Dom0Address, protocol.DomUAddress)
	}
	order, err := d.order()
	if err != nil {
		return err
	}
	if err := d.carryOut(order); err != nil {
		d.report(err)
		return err
	}
	endMachine(protocol.ExitDone)
	return errors.New("end the machine: QEMU did not")
}

// openCalls opens the devices for hypercalls, with what the host read from the
// public headers of this Xen.
func openCalls(dom abi.DomID, privileged bool) (*hypercall.Domain, error) {
	text, err := os.ReadFile(protocol.InterfaceFile)
	if err != nil {
		return nil, err
	}
	iface, err := hypercall.ParseInterface(text)
	if err != nil {
		return nil, err
	}
	return hypercall.Open(dom, privileged, iface)
}

// enforce has FLASK enforce its policy, if the order is to: xenstored must start
// first, where the policy denies it what it asks for at its start.
func (d *dom0) enforce() error {
	o, err := orderNow()
	if err != nil || !o.Enforce {
		return err
	}
	if enforcing, err := d.calls.Mode(); err != nil || enforcing {
		return nil // without FLASK, or with one that does not answer: facts tells
	}
	if err := d.calls.Enforce(); err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, protocol.Enforces)
	return nil
}

// report tells the host why dom0 gives up; the console tells people.
func (d *dom0) report(err error) {
	fmt.Fprint(os.Stderr, protocol.Complaint("dom0 gives up: ", err.Error()))
}

// order reads the order; if it asks for a snapshot, again after the machine
// was stopped and went on.
func (d *dom0) order() (protocol.Order, error) {
	for {
		o, err := orderNow()
		if err != nil || !o.Snapshot {
			return o, err
		}
		time.Sleep(o.Delay)
		if err := pc.Write(protocol.SnapshotPort, 1); err != nil {
			return o, err
		}
	}
}

// orderNow is the order that the host gives at the moment.
func orderNow() (protocol.Order, error) {
	text, err := pc.Firmware("opt/xsmbench/" + protocol.OrderFile)
	if err != nil {
		return protocol.Order{}, err
	}
	return protocol.Decode(text)
}

// carryOut measures in the domains of the plan, one after the other.
func (d *dom0) carryOut(o protocol.Order) error {
	time.Sleep(o.Delay)
	for _, name := range o.Plan.Domains {
		var err error
		if name == "dom0" {
			err = measure(name, o, d.calls, d.have, d.neighbourOfDom0(o.Plan), d.results)
		} else {
			err = d.haveMeasured(o)
		}
		if err != nil {
			return fmt.Errorf("measure in %s: %w", name, err)
		}
	}
	return nil
}

// Waiting for the domU costs dom0 little, and every look may disturb one of
// domU's windows.
const look = 50 * time.Millisecond

// haveMeasured passes the order on to the domU and its records on to the host.
func (d *dom0) haveMeasured(o protocol.Order) error {
	own := part{session: newSession(d.calls, d.have)}
	defer own.stop()
	text, err := o.Encode()
	if err != nil {
		return err
	}
	console, err := os.Open(protocol.DomUConsole)
	if err != nil {
		return err
	}
	defer console.Close()
	if err := d.store.Write(d.path(protocol.StoreOrder), text); err != nil {
		return err
	}
	pause, behind := look, look // the console daemon may be a little behind
	if isNeighbours(o.Plan) {
		pause, behind = glance, 5*glance
	}
	buffer := make([]byte, 64<<10)
	for done := false; ; {
		n, err := console.Read(buffer)
		if n > 0 {
			if _, err := d.results.Write(buffer[:n]); err != nil {
				return err
			}
			continue
		}
		if err != nil && err != io.EOF { // the end so far
			return err
		}
		if done {
			return nil
		}
		time.Sleep(pause)
		if isNeighbours(o.Plan) {
			if err := d.beNeighbour(&own); err != nil {
				return err
			}
		}
		status, err := d.store.Read(d.path(protocol.StoreDone))
		if err != nil && !xenstore.Missing(err) {
			return err
		}
		if done = status != ""; done {
			time.Sleep(behind)
		}
		if err := d.alive(); err != nil && !done {
			time.Sleep(look) // as above
			return fmt.Errorf("%w; its console ends:\n%s", err, d.lastWords())
		}
	}
}

// alive looks whether the domU is still there, in xenstore: the toolstack's
// own listing may fail for other reasons.
func (d *dom0) alive() error {
	if _, err := d.store.Read(d.path("domid")); err != nil {
		return fmt.Errorf("the domain is gone: %w", err)
	}
	return nil
}

func (d *dom0) path(below string) string {
	return fmt.Sprintf("/local/domain/%d/%s", d.domU, below)
}

// toolstack is before the names of its programs.
const toolstack = protocol.ToolstackDir + "/"

// toolPath is where they look for others.
const toolPath = toolstack + ":/usr/sbin:/usr/bin:/sbin:/bin"

// startToolstack starts xenstore and the console daemon and tells xenstore
// about dom0.
func (d *dom0) startToolstack() error {
	for _, dir := range []string{"/run/xen", "/run/xenstored", "/run/lock", "/var/lib/xen", "/var/lib/xenstored", "/var/log/xen", protocol.ConsoleDir} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("start toolstack: %w", err)
		}
	}
	if err := syscall.Mount("xenfs", "/proc/xen", "xenfs", 0, ""); err != nil {
		return fmt.Errorf("start toolstack: mount xenfs: %w", err)
	}
	if err := run(toolstack+"xenstored", "--pid-file", "/run/xenstored.pid"); err != nil {
		return err
	}
	var err error
	if d.store, err = retry(dialStore); err != nil {
		return fmt.Errorf("start toolstack: %w", err)
	}
	if err := run(toolstack + "xen-init-dom0"); err != nil {
		return err
	}
	return run(toolstack+"xenconsoled", "--log=guest", "--log-dir="+protocol.ConsoleDir)
}

// retry tries for a while.
func retry[T any](try func() (T, error)) (v T, err error) {
	for range 200 {
		if v, err = try(); err == nil {
			return v, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return v, err
}

// startDomUs creates the domU with its channels, and idle ones beside it.
func (d *dom0) startDomUs() error {
	count, err := idleDomUs()
	if err != nil {
		return err
	}
	for i := range count {
		if err := run(toolstack+"xl", "create", "-q", fmt.Sprintf(protocol.IdleConfig, i+1)); err != nil {
			return err
		}
	}
	if _, err := os.Stat(protocol.DomUConfig); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err := run(toolstack+"xl", "create", "-q", "-p", protocol.DomUConfig); err != nil {
		return err
	}
	id, err := output(toolstack+"xl", "domid", "domU")
	if err != nil {
		return err
	}
	n, err := strconv.ParseUint(strings.TrimSpace(id), 10, 15)
	if err != nil {
		return fmt.Errorf("find domU: xl domid answered %q", id)
	}
	d.domU = abi.DomID(n)
	return d.connect()
}

func idleDomUs() (int, error) {
	text, err := os.ReadFile(protocol.IdleFile)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

// connect sets up the channels between dom0 and the domU, lets it run and
// waits until it is ready.
func (d *dom0) connect() error {
	offer, err := d.calls.Offer(d.domU)
	if err != nil {
		return err
	}
	if err := d.store.Write(d.path(protocol.StoreOffer), offer); err != nil {
		return err
	}
	if err := run(toolstack+"xl", "unpause", "domU"); err != nil {
		return err
	}
	answer, err := d.answer()
	if err != nil {
		return fmt.Errorf("wait for domU: %w; its console ends:\n%s", err, d.lastWords())
	}
	if said, err := lastOf(protocol.DeviceModelLog); err == nil && said != "" {
		fmt.Fprintln(os.Stderr, "xsmguest: the domU's device model says:", said)
	}
	if err := d.calls.Complete(answer); err != nil {
		return err
	}
	return d.calls.Settle()
}

// patience is how long the domU may take to start; it needs two seconds.
const patience = 60 * time.Second

// answer waits for the domU's half of the channels, while the domU lives.
func (d *dom0) answer() (string, error) {
	for begun := time.Now(); time.Since(begun) < patience; time.Sleep(look) {
		answer, err := d.store.Read(d.path(protocol.StoreAnswer))
		if err == nil && answer != "" || err != nil && !xenstore.Missing(err) {
			return answer, err
		}
		if err := d.alive(); err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("no answer for %v", patience)
}

// lastWords is the end of the domU's console, and what its device model said, if it has
// one.
func (d *dom0) lastWords() string {
	text, err := lastOf(protocol.DomUConsole)
	if err != nil {
		return err.Error()
	}
	if said, err := lastOf(protocol.DeviceModelLog); err == nil && said != "" {
		text += "\nits device model said:\n" + said
	}
	return text
}

// lastOf is the end of a file.
func lastOf(path string) (string, error) {
	const most = 2000
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(strings.ReplaceAll(string(text[max(0, len(text)-most):]), "\r", "")), nil
}

// run runs a program of the toolstack; daemons detach themselves.
func run(program string, args ...string) error {
	_, err := output(program, args...)
	return err
}

func output(program string, args ...string) (string, error) {
	cmd := exec.Command(program, args...)
	cmd.Env = []string{"PATH=" + toolPath}
	var words strings.Builder
	cmd.Stderr = &tail{b: &words}
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("run %s: %w: %s", strings.Join(slices.Insert(args, 0, program), " "), err, complaints(words.String()))
	}
	return string(out), nil
}

// harmless are lines that xl writes before it does what it is asked for.
var harmless = []string{"got a tsc mode string", "Parsing config from"}

// complaints are what a program said that may be the cause of its failure.
func complaints(said string) string {
	var lines []string
	for line := range strings.Lines(said) {
		line = strings.TrimSpace(line)
		if line != "" && !slices.ContainsFunc(harmless, func(h string) bool { return strings.HasPrefix(line, h) }) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// tail keeps the beginning of what a program complains about. Daemons keep the
// descriptor open, so that output must not wait for its end.
type tail struct{ b *strings.Builder }

func (t *tail) Write(p []byte) (int, error) {
	if t.b.Len() < 2000 {
		t.b.Write(p)
	}
	return len(p), nil
}

// endMachine ends QEMU. Only dom0 may; in a domU nothing happens.
func endMachine(status byte) {
	_ = pc.Write(protocol.ExitPort, status)
}
