package lmbench

import (
	"encoding/binary"
	"errors"
	"fmt"

	"xsmbench/bench"
)

// Numbers of ONC RPC (RFC 5531) and of lat_rpc's program.
const (
	rpcCall, rpcReply = 0, 1
	rpcVersion        = 2
	rpcProgram        = 404040
	rpcProgramVersion = 1
	rpcExchange       = 1   // the procedure: a char to a char
	rpcAnswer         = 123 // its result
	rpcFragment       = 1 << 31
)

// Lengths of the messages, in bytes: a call has a header, no credentials, no
// verifier, and a char; a reply its status, a verifier, and a char. Over TCP a
// record mark stands before either.
const (
	rpcMark        = 4
	rpcCallSize    = 6*4 + 8 + 8 + 4
	rpcReplySize   = 3*4 + 8 + 4 + 4
	rpcProgramAt   = 12
	rpcStatusAt    = 8  // of a reply: accepted
	rpcVerifierAt  = 12 // none
	rpcAcceptAt    = 20 // success
	rpcReplyCharAt = 24
)

// registerRPC registers lat_rpc.
func registerRPC() {
	for _, p := range []struct {
		name string
		kind bench.SocketKind
	}{{"udp", bench.UDP}, {"tcp", bench.TCP}} {
		register(bench.Benchmark{
			Name: "lat_rpc/proto=" + p.name, Source: "lat_rpc -p " + p.name + " localhost", Enough: medium, Full: true,
			Doc:   "call a procedure of another process by ONC RPC over " + p.name + " (own encoding; lmbench: the C library's)",
			Needs: []bench.Facility{bench.Networking},
			Hooks: sendEvent,
			Setup: func(d bench.Domain) (bench.Loop, func(), error) { return remoteCalls(d.OS(), p.kind) },
		})
	}
}

// putCall encodes a call.
func putCall(b []byte, id uint32, argument byte) {
	clear(b)
	for i, v := range []uint32{id, rpcCall, rpcVersion, rpcProgram, rpcProgramVersion, rpcExchange} {
		binary.BigEndian.PutUint32(b[4*i:], v)
	}
	binary.BigEndian.PutUint32(b[rpcCallSize-4:], uint32(argument))
}

// answerCall encodes the reply to a call; it fails if it is none of the program's.
func answerCall(reply, call []byte) error {
	word := func(at int) uint32 { return binary.BigEndian.Uint32(call[at:]) }
	if len(call) < rpcCallSize || word(4) != rpcCall || word(8) != rpcVersion || word(rpcProgramAt) != rpcProgram ||
		word(rpcProgramAt+4) != rpcProgramVersion || word(rpcProgramAt+8) != rpcExchange {
		return errors.New("no call of the program")
	}
	clear(reply)
	copy(reply, call[:4])
	binary.BigEndian.PutUint32(reply[4:], rpcReply)
	binary.BigEndian.PutUint32(reply[rpcReplyCharAt:], rpcAnswer)
	return nil
}

// checkReply reads a reply.
func checkReply(b []byte, id uint32) error {
	word := func(at int) uint32 { return binary.BigEndian.Uint32(b[at:]) }
	switch {
	case len(b) != rpcReplySize || word(4) != rpcReply:
		return fmt.Errorf("read reply: %d bytes that are none", len(b))
	case word(0) != id:
		return fmt.Errorf("read reply: it is to call %d, not %d", word(0), id)
	case word(rpcStatusAt) != 0 || word(rpcAcceptAt) != 0:
		return fmt.Errorf("read reply: the call was refused with %d, %d", word(rpcStatusAt), word(rpcAcceptAt))
	case word(rpcReplyCharAt) != rpcAnswer:
		return fmt.Errorf("read reply: result %d, not %d", word(rpcReplyCharAt), rpcAnswer)
	}
	return nil
}

// transport moves one message of RPC each way.
type transport struct {
	send, receive func(message []byte) error
}

// remoteCalls times calls.
func remoteCalls(os bench.OS, kind bench.SocketKind) (bench.Loop, func(), error) {
	start := callByTCP
	if kind == bench.UDP {
		start = callByUDP
	}
	t, stop, err := start(os)
	if err != nil {
		return nil, nil, err
	}
	call, reply := make([]byte, rpcCallSize), make([]byte, rpcReplySize)
	id := uint32(0)
	loop := func(n int64) error {
		for ; n > 0; n-- {
			id++
			putCall(call, id, 1)
			if err := t.send(call); err != nil {
				return err
			}
			if err := t.receive(reply); err != nil {
				return err
			}
			if err := checkReply(reply, id); err != nil {
				return err
			}
		}
		return nil
	}
	return loop, stop, nil
}

func callByUDP(os bench.OS) (transport, func(), error) {
	s, err := socketsOf(os)
	if err != nil {
		return transport{}, nil, err
	}
	here, there, err := udpLink(os)
	if err != nil {
		return transport{}, nil, err
	}
	stop, err := serve(os, there, func(os bench.OS) int {
		os.Close(here)
		return answerByUDP(os, there)
	})
	if err != nil {
		os.Close(here)
		return transport{}, nil, err
	}
	whole := func(k int, err error, b []byte) error {
		if k != len(b) {
			return fmt.Errorf("move message of RPC: %d of %d bytes: %w", k, len(b), cause(err))
		}
		return nil
	}
	t := transport{
		send:    func(b []byte) error { k, err := s.Send(here, b); return whole(k, err, b) },
		receive: func(b []byte) error { k, err := s.Receive(here, b); return whole(k, err, b) },
	}
	return t, func() { endServer(s, here); os.Close(here); stop() }, nil
}

func answerByUDP(os bench.OS, fd bench.FD) int {
	s, err := socketsOf(os)
	if err != nil {
		return 1
	}
	call, reply := make([]byte, rpcCallSize), make([]byte, rpcReplySize)
	for {
		k, err := s.ReceiveFrom(fd, call)
		if err != nil || answerCall(reply, call[:max(0, k)]) != nil {
			return 0
		}
		if _, err := s.Reply(fd, reply); err != nil {
			return 1
		}
	}
}

// callByTCP sends records of one fragment.
func callByTCP(os bench.OS) (transport, func(), error) {
	l, err := tcpLink(os)
	if err != nil {
		return transport{}, nil, err
	}
	stop, err := serve(os, l.there.in, func(os bench.OS) int {
		os.Close(l.here.in)
		return answerByTCP(os, l.there.in)
	})
	if err != nil {
		os.Close(l.here.in)
		return transport{}, nil, err
	}
	record := newRecord(rpcCallSize)
	answer := newRecord(rpcReplySize)
	t := transport{
		send: func(b []byte) error {
			copy(record[rpcMark:], b)
			if k, err := os.Write(l.here.in, record); k != len(record) {
				return fmt.Errorf("write record of RPC: %d of %d bytes: %w", k, len(record), cause(err))
			}
			return nil
		},
		receive: func(b []byte) error {
			if err := readAll(os, l.here.in, answer); err != nil {
				return err
			}
			copy(b, answer[rpcMark:])
			return nil
		},
	}
	return t, func() { os.Close(l.here.in); stop() }, nil
}

// newRecord makes room for a record, with its mark: the last fragment, and its size.
func newRecord(size int) []byte {
	b := make([]byte, rpcMark+size)
	binary.BigEndian.PutUint32(b, rpcFragment|uint32(size))
	return b
}

func answerByTCP(os bench.OS, fd bench.FD) int {
	call, reply := newRecord(rpcCallSize), newRecord(rpcReplySize)
	for {
		if readAll(os, fd, call) != nil || answerCall(reply[rpcMark:], call[rpcMark:]) != nil {
			return 0
		}
		if k, err := os.Write(fd, reply); k != len(reply) || err != nil {
			return 1
		}
	}
}
