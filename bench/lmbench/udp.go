package lmbench

import (
	"errors"
	"fmt"

	"xsmbench/bench"
)

// Sizes of the messages of lat_udp and bw_udp. bw_udp's default, 10 MB, is more
// than a message can hold; this one is what bw_tcp's list has for Ethernet.
const (
	udpMessage = 4
	udpBlock   = 1437
	// udpBlocks are what one request of bw_udp asks for: less than a socket
	// buffers, since nothing holds the sender back.
	udpBlocks = 16
)

// lastRequest begins a message that ends a server.
const lastRequest = 0xff

// registerUDP registers lat_udp and bw_udp.
func registerUDP() {
	register(bench.Benchmark{
		Name: "lat_udp", Source: "lat_udp localhost", Enough: short, Full: true,
		Doc:   "a message of 4 bytes to another process and back, by UDP over the loopback device",
		Needs: []bench.Facility{bench.Networking},
		Hooks: sendEvent,
		Setup: func(d bench.Domain) (bench.Loop, func(), error) { return datagrams(d.OS()) },
	})
	register(bench.Benchmark{
		Name: "bw_udp/m=1437", Source: "bw_udp -m 1437 localhost 22992", Unit: "MB/s", Bytes: udpBlock * udpBlocks, Full: true,
		Doc: fmt.Sprintf("ask another process for %d messages of %d bytes and receive them, by UDP over the loopback device (lmbench: 10 MB at a time, of which sockets lose some)",
			udpBlocks, udpBlock),
		Needs: []bench.Facility{bench.Networking},
		Hooks: sendEvent,
		Setup: func(d bench.Domain) (bench.Loop, func(), error) { return udpStream(d.OS()) },
	})
}

// datagrams is lat_udp, natively where the target does it.
func datagrams(os bench.OS) (bench.Loop, func(), error) {
	s, err := socketsOf(os)
	if err != nil {
		return nil, nil, err
	}
	here, there, err := udpLink(os)
	if err != nil {
		return nil, nil, err
	}
	loop, cleanup, err := nativeOn(os, bench.NativeDatagram, here, there, udpMessage)
	if !errors.Is(err, errors.ErrUnsupported) {
		return loop, cleanup, err
	}
	stop, err := serve(os, there, func(os bench.OS) int {
		os.Close(here)
		return answerDatagrams(os, there, 1, udpMessage)
	})
	if err != nil {
		os.Close(here)
		return nil, nil, err
	}
	message := make([]byte, udpMessage)
	loop = func(n int64) error {
		for ; n > 0; n-- {
			if k, err := s.Send(here, message); k != len(message) {
				return fmt.Errorf("send message: %d bytes: %w", k, cause(err))
			}
			if k, err := s.Receive(here, message); k != len(message) {
				return fmt.Errorf("receive message: %d bytes: %w", k, cause(err))
			}
		}
		return nil
	}
	return loop, func() { endServer(s, here); os.Close(here); stop() }, nil
}

// endServer sends what ends a server of answerDatagrams.
func endServer(s bench.Sockets, fd bench.FD) {
	// A server that is gone has no need of it.
	_, _ = s.Send(fd, []byte{lastRequest, 0xff, 0xff, 0xff})
}

// answerDatagrams answers each message by a number of messages of some size.
func answerDatagrams(os bench.OS, fd bench.FD, count, size int) int {
	s, err := socketsOf(os)
	if err != nil {
		return 1
	}
	buf := make([]byte, size)
	for {
		k, err := s.ReceiveFrom(fd, buf)
		if err != nil || k < 1 || buf[0] == lastRequest {
			return 0
		}
		for range count {
			if _, err := s.Reply(fd, buf); err != nil {
				return 1
			}
		}
	}
}

func udpStream(os bench.OS) (bench.Loop, func(), error) {
	s, err := socketsOf(os)
	if err != nil {
		return nil, nil, err
	}
	here, there, err := udpLink(os)
	if err != nil {
		return nil, nil, err
	}
	stop, err := serve(os, there, func(os bench.OS) int {
		os.Close(here)
		return answerDatagrams(os, there, udpBlocks, udpBlock)
	})
	if err != nil {
		os.Close(here)
		return nil, nil, err
	}
	request, buf := make([]byte, udpMessage), make([]byte, udpBlock)
	loop := func(n int64) error {
		for ; n > 0; n-- {
			if k, err := s.Send(here, request); k != len(request) {
				return fmt.Errorf("ask for messages: %d bytes sent: %w", k, cause(err))
			}
			for range udpBlocks {
				if k, err := s.Receive(here, buf); k != len(buf) {
					return fmt.Errorf("receive message: %d bytes: %w", k, cause(err))
				}
			}
		}
		return nil
	}
	return loop, func() { endServer(s, here); os.Close(here); stop() }, nil
}
