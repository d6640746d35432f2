package lmbench

import (
	"errors"
	"fmt"

	"xsmbench/bench"
)

// killed is the signal that ends a server which waits for nothing else.
const killed bench.Signal = 9

// socketsOf is an operating system with its sockets, which Needs promises.
func socketsOf(os bench.OS) (bench.Sockets, error) {
	s, ok := os.(bench.Sockets)
	if !ok {
		return nil, fmt.Errorf("use sockets: %w", errors.ErrUnsupported)
	}
	return s, nil
}

// optimise sets a socket's options before it listens or connects, and those of one that
// was accepted, as lmbench's sock_optimize does.
type optimise func(s bench.Sockets, fd bench.FD, serves bool) error

func asItIs(bench.Sockets, bench.FD, bool) error { return nil }

// listen opens a socket that can be connected to, at the path or a free port.
func listen(os bench.OS, kind bench.SocketKind, path string, set optimise) (bench.FD, bench.SocketAddr, error) {
	at := bench.SocketAddr{Path: path}
	s, err := socketsOf(os)
	if err != nil {
		return -1, at, err
	}
	fd, err := s.Socket(kind)
	if err != nil {
		return -1, at, fmt.Errorf("open server's socket: %w", err)
	}
	if at, err = readied(s, fd, kind, at, set); err != nil {
		os.Close(fd)
		return -1, at, err
	}
	return fd, at, nil
}

// readied makes a socket a server's.
func readied(s bench.Sockets, fd bench.FD, kind bench.SocketKind, at bench.SocketAddr, set optimise) (bench.SocketAddr, error) {
	if err := set(s, fd, true); err != nil {
		return at, fmt.Errorf("set options of server's socket: %w", err)
	}
	at, err := s.Bind(fd, kind, at)
	if err != nil {
		return at, fmt.Errorf("bind server's socket: %w", err)
	}
	if kind == bench.UDP {
		return at, nil
	}
	if err := s.Listen(fd); err != nil {
		return at, fmt.Errorf("listen: %w", err)
	}
	return at, nil
}

// dial connects to a server.
func dial(os bench.OS, kind bench.SocketKind, at bench.SocketAddr, set optimise) (bench.FD, error) {
	s, err := socketsOf(os)
	if err != nil {
		return -1, err
	}
	fd, err := s.Socket(kind)
	if err != nil {
		return -1, fmt.Errorf("open socket: %w", err)
	}
	if err := set(s, fd, false); err != nil {
		os.Close(fd)
		return -1, fmt.Errorf("set options of socket: %w", err)
	}
	if err := s.Connect(fd, kind, at); err != nil {
		os.Close(fd)
		return -1, fmt.Errorf("connect: %w", err)
	}
	return fd, nil
}

// tcpLink is a connection by TCP through the loopback device.
func tcpLink(os bench.OS) (link, error) { return connected(os, asItIs) }

// connected is one whose sockets have options.
func connected(os bench.OS, set optimise) (link, error) {
	var l link
	server, at, err := listen(os, bench.TCP, "", set)
	if err != nil {
		return l, err
	}
	defer os.Close(server)
	here, err := dial(os, bench.TCP, at, set)
	if err != nil {
		return l, err
	}
	s, err := socketsOf(os)
	if err != nil {
		return l, err
	}
	there, err := s.Accept(server)
	if err != nil {
		os.Close(here)
		return l, fmt.Errorf("accept: %w", err)
	}
	if err := set(s, there, true); err != nil {
		os.Close(here)
		os.Close(there)
		return l, fmt.Errorf("set options of server's socket: %w", err)
	}
	l.here.in, l.here.out = here, here
	l.there.in, l.there.out = there, there
	return l, nil
}

// udpLink is a connected socket and the one that its messages come to.
func udpLink(os bench.OS) (here, there bench.FD, err error) {
	there, at, err := listen(os, bench.UDP, "", asItIs)
	if err != nil {
		return -1, -1, err
	}
	if here, err = dial(os, bench.UDP, at, asItIs); err != nil {
		os.Close(there)
	}
	return here, there, err
}

// serve forks a server, which has its socket alone, and returns what ends it.
func serve(os bench.OS, socket bench.FD, server func(bench.OS) int) (stop func(), err error) {
	pid, err := os.Fork(server)
	os.Close(socket)
	if err != nil {
		return nil, fmt.Errorf("fork server: %w", err)
	}
	return func() {
		os.Kill(pid, killed)
		os.Wait(pid)
	}, nil
}
