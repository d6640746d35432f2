package lmbench

import (
	"errors"
	"fmt"

	"xsmbench/bench"
)

// registerConnect registers lat_connect and lat_unix_connect.
func registerConnect() {
	register(bench.Benchmark{
		Name: "lat_connect", Source: "lat_connect localhost", Full: true,
		Doc:   "open a socket, connect it by TCP over the loopback device to another process, and close it",
		Needs: []bench.Facility{bench.Networking},
		Hooks: sendEvent,
		Setup: func(d bench.Domain) (bench.Loop, func(), error) { return connections(d.OS(), bench.TCP) },
	})
	register(bench.Benchmark{
		Name: "lat_unix_connect", Source: "lat_unix_connect", Full: true,
		Doc:   "open a UNIX stream socket, connect it to another process, and close it",
		Needs: []bench.Facility{bench.Networking},
		Hooks: sendEvent,
		Setup: func(d bench.Domain) (bench.Loop, func(), error) { return connections(d.OS(), bench.UnixStream) },
	})
}

// connections connects and closes, natively where the target does it.
func connections(os bench.OS, kind bench.SocketKind) (bench.Loop, func(), error) {
	s, err := socketsOf(os)
	if err != nil {
		return nil, nil, err
	}
	path := ""
	if kind == bench.UnixStream {
		path = bench.UnixAddress
	}
	server, at, err := listen(os, kind, path, asItIs)
	if err != nil {
		return nil, nil, err
	}
	forget := func() {
		if path != "" {
			os.Unlink(path)
		}
	}
	loop, cleanup, err := nativeConnections(os, server, at)
	if !errors.Is(err, errors.ErrUnsupported) {
		os.Close(server)
		if err != nil {
			forget()
			return nil, nil, err
		}
		return loop, func() { cleanup(); forget() }, nil
	}
	stop, err := serve(os, server, func(os bench.OS) int { return acceptConnections(os, server) })
	if err != nil {
		forget()
		return nil, nil, err
	}
	loop = func(n int64) error {
		for ; n > 0; n-- {
			fd, err := s.Socket(kind)
			if err != nil {
				return fmt.Errorf("open socket: %w", err)
			}
			if kind == bench.TCP {
				if err := s.Reuse(fd); err != nil {
					return fmt.Errorf("set option of socket: %w", err)
				}
			}
			if err := s.Connect(fd, kind, at); err != nil {
				return fmt.Errorf("connect: %w", err)
			}
			if err := os.Close(fd); err != nil {
				return fmt.Errorf("close socket: %w", err)
			}
		}
		return nil
	}
	return loop, func() { stop(); forget() }, nil
}

func nativeConnections(os bench.OS, server bench.FD, at bench.SocketAddr) (bench.Loop, func(), error) {
	target, ok := os.(bench.NativeLoops)
	switch {
	case !ok:
		return nil, nil, errors.ErrUnsupported
	case at.Path != "":
		return target.NativeLoop(bench.NativeConnectUnix, int64(server))
	}
	return target.NativeLoop(bench.NativeConnect, int64(server), int64(at.Port))
}

// acceptConnections takes connections and closes each when the other side has.
func acceptConnections(os bench.OS, server bench.FD) int {
	s, err := socketsOf(os)
	if err != nil {
		return 1
	}
	b := make([]byte, 1)
	for {
		fd, err := s.Accept(server)
		if err != nil {
			return 0
		}
		_, _ = os.Read(fd, b) // the end, or what is as good
		os.Close(fd)
	}
}
