package hypercall

import (
	"errors"
	"fmt"
	"time"

	"xsmbench/abi"
	"xsmbench/bench"
)

// eventDevice is an open /dev/xen/evtchn. After an event the kernel leaves the
// port masked until enable.
type eventDevice interface {
	bindUnbound(remote abi.DomID) (abi.Port, error)
	bindRemote(remote abi.DomID, port abi.Port) (abi.Port, error)
	unbind(abi.Port) error
	notify(abi.Port) abi.Errno
	enable(abi.Port) abi.Errno
	// read and await wait for an event's port; await lets the Go scheduler
	// know that its thread waits.
	read() (abi.Port, abi.Errno)
	await() (abi.Port, abi.Errno)
	// ready waits at most so long until read would not wait.
	ready(time.Duration) bool
	close() error
}

// channel is a port with a device of its own, so that whoever reads the device
// sees this port's events only.
type channel struct {
	dev  eventDevice
	port abi.Port
}

func (c *channel) close() error {
	if c.dev == nil {
		return nil
	}
	// The device may be in use by a read that does not end (see answer):
	// the port must go all the same.
	err := errors.Join(c.dev.unbind(c.port), c.dev.close())
	c.dev = nil
	return err
}

// channels lead to the peer.
type channels struct {
	plain channel // nobody answers: after the first event the peer leaves it masked
	echo  channel // this domain answers
	ask   channel // the peer answers
	peer  bench.Peer
	known bool // the peer's grant is
}

// Offer grants a page to another domain, which need not run yet, and allocates
// ports for it. The string is for the other domain's Accept.
func (d *Domain) Offer(peer abi.DomID) (string, error) {
	grant, err := d.connect(peer, func(e eventDevice, _ int) (abi.Port, error) { return e.bindUnbound(peer) })
	if err != nil {
		return "", fmt.Errorf("offer channels to domain %d: %w", peer, err)
	}
	c := &d.channels
	go answerEvents(c.echo.dev)
	return offer{d.id, peer, grant, c.plain.port, c.echo.port, c.ask.port}.String(), nil
}

// Accept binds the ports that another domain has offered and grants it a page
// in return. The string is for the other domain's Complete.
func (d *Domain) Accept(peer abi.DomID, text string) (string, error) {
	o, err := parseOffer(text)
	if err != nil {
		return "", fmt.Errorf("accept channels of domain %d: %w", peer, err)
	}
	if o.from != peer || o.to != d.id {
		return "", fmt.Errorf("accept channels of domain %d: the offer is domain %d's to domain %d", peer, o.from, o.to)
	}
	// What the peer answers is what this domain asks.
	remote := [...]abi.Port{o.plain, o.ask, o.echo}
	grant, err := d.connect(peer, func(e eventDevice, i int) (abi.Port, error) { return e.bindRemote(peer, remote[i]) })
	if err != nil {
		return "", fmt.Errorf("accept channels of domain %d: %w", peer, err)
	}
	d.channels.peer.Grant, d.channels.known = o.grant, true
	go answerEvents(d.channels.echo.dev)
	return answer{d.id, peer, grant}.String(), nil
}

// Complete ends what Offer has begun.
func (d *Domain) Complete(text string) error {
	c := &d.channels
	a, err := parseAnswer(text)
	switch {
	case err != nil:
		return fmt.Errorf("complete channels: %w", err)
	case c.plain.dev == nil:
		return fmt.Errorf("complete channels: none were offered")
	case a.from != c.peer.Dom || a.to != d.id:
		return fmt.Errorf("complete channels: the answer is domain %d's to domain %d, not %d's to %d", a.from, a.to, c.peer.Dom, d.id)
	}
	c.peer.Grant, c.known = a.grant, true
	return nil
}

// Settle brings the plain port into the state that it then keeps: an event came
// from either side, was taken, and the port stays masked, so that further
// events only find it pending. What Xen does for one depends on that. The peer
// calls it after Accept, before it answers; dom0 after Complete.
func (d *Domain) Settle() error {
	if _, err := d.Peer(); err != nil {
		return err
	}
	c := &d.channels.plain
	if e := c.dev.notify(c.port); e != 0 {
		return fmt.Errorf("settle channel: send: %w", e)
	}
	for range leftOver {
		if !c.dev.ready(settle) {
			return nil
		}
		if _, e := c.dev.read(); e != 0 {
			return fmt.Errorf("settle channel: receive: %w", e)
		}
	}
	return fmt.Errorf("settle channel: it is never quiet")
}

// connect opens the three channels in the order of their fields and grants a
// page.
func (d *Domain) connect(peer abi.DomID, bind func(eventDevice, int) (abi.Port, error)) (abi.GrantRef, error) {
	c := &d.channels
	if c.plain.dev != nil {
		return 0, fmt.Errorf("there are channels to domain %d", c.peer.Dom)
	}
	for i, ch := range []*channel{&c.plain, &c.echo, &c.ask} {
		if err := d.open(ch, i, bind); err != nil {
			return 0, errors.Join(err, d.disconnect())
		}
	}
	grant, err := d.dev.grantPage(peer)
	if err != nil {
		return 0, errors.Join(fmt.Errorf("grant page: %w", err), d.disconnect())
	}
	c.peer = bench.Peer{Dom: peer, Port: c.plain.port}
	d.planner.ports.peer = c.plain.port
	return grant, nil
}

func (d *Domain) open(ch *channel, i int, bind func(eventDevice, int) (abi.Port, error)) error {
	dev, err := d.dev.events()
	if err != nil {
		return err
	}
	port, err := bind(dev, i)
	if err != nil {
		return errors.Join(fmt.Errorf("bind port: %w", err), dev.close())
	}
	*ch = channel{dev, port}
	return nil
}

func (d *Domain) disconnect() error {
	c := &d.channels
	err := errors.Join(c.plain.close(), c.echo.close(), c.ask.close())
	*c = channels{}
	d.planner.ports.peer = 0
	return err
}

// answerEvents sends an event back for every one that comes, until the device
// fails. A read of the device ends with an event only: after Close the
// goroutine stays as it is to the end of the process.
func answerEvents(dev eventDevice) {
	for {
		port, err := dev.await()
		if err != 0 || dev.enable(port) != 0 || dev.notify(port) != 0 {
			return
		}
	}
}

// Peer tells of the other domain once Accept or Complete has succeeded.
func (d *Domain) Peer() (bench.Peer, error) {
	if !d.channels.known {
		return bench.Peer{}, fmt.Errorf("find peer: no channels to another domain")
	}
	return d.channels.peer, nil
}

const (
	// settle is how long the channel must be quiet before a round trip:
	// binding a port raises an event, and the other side answers it.
	settle = 20 * time.Millisecond
	// patience is how long the first answer may take.
	patience = 5 * time.Second
	// most events that may be left over.
	leftOver = 64
)

// Echo readies round trips to the peer's answering goroutine, and makes the
// first. Later ones wait for as long as it takes.
func (d *Domain) Echo() (func() error, error) {
	if _, err := d.Peer(); err != nil {
		return nil, err
	}
	c := &d.channels.ask
	if err := c.drain(); err != nil {
		return nil, fmt.Errorf("ready echo: %w", err)
	}
	if e := c.dev.notify(c.port); e != 0 {
		return nil, fmt.Errorf("ready echo: send: %w", e)
	}
	if !c.dev.ready(patience) {
		return nil, fmt.Errorf("ready echo: domain %d has not answered within %v", d.channels.peer.Dom, patience)
	}
	if err := c.receive(); err != nil {
		return nil, fmt.Errorf("ready echo: %w", err)
	}
	return c.trip, nil
}

// drain takes events that are left over, since one too many would make every
// trip end with the answer to the trip before it.
func (c *channel) drain() error {
	for range leftOver {
		if !c.dev.ready(settle) {
			return nil
		}
		if err := c.receive(); err != nil {
			return err
		}
	}
	return fmt.Errorf("the channel is never quiet")
}

// trip sends and waits for the answer.
func (c *channel) trip() error {
	if e := c.dev.notify(c.port); e != 0 {
		return fmt.Errorf("send: %w", e)
	}
	return c.receive()
}

// receive waits for an event and unmasks the port for the next.
func (c *channel) receive() error {
	port, e := c.dev.read()
	if e == 0 {
		e = c.dev.enable(port)
	}
	if e != 0 {
		return fmt.Errorf("receive: %w", e)
	}
	return nil
}
