package lmbench

import (
	"encoding/binary"
	"testing"
)

// TestCall encodes a call as RFC 5531 lays it out, and answers it.
func TestCall(t *testing.T) {
	call, reply := make([]byte, rpcCallSize), make([]byte, rpcReplySize)
	putCall(call, 7, 1)
	for i, want := range []uint32{7, 0, 2, 404040, 1, 1, 0, 0, 0, 0, 1} {
		if got := binary.BigEndian.Uint32(call[4*i:]); got != want {
			t.Errorf("word %d of the call is %d, want %d", i, got, want)
		}
	}
	if err := answerCall(reply, call); err != nil {
		t.Fatal(err)
	}
	for i, want := range []uint32{7, 1, 0, 0, 0, 0, 123} {
		if got := binary.BigEndian.Uint32(reply[4*i:]); got != want {
			t.Errorf("word %d of the reply is %d, want %d", i, got, want)
		}
	}
	if err := checkReply(reply, 7); err != nil {
		t.Error(err)
	}
}

// TestBadMessages: what is no call is not answered, and what is no answer to the
// call is an error.
func TestBadMessages(t *testing.T) {
	call, reply := make([]byte, rpcCallSize), make([]byte, rpcReplySize)
	for word := 1; word <= 5; word++ {
		putCall(call, 7, 1)
		call[4*word+3]++
		if answerCall(reply, call) == nil {
			t.Errorf("a call with another word %d is answered", word)
		}
	}
	putCall(call, 7, 1)
	if answerCall(reply, call[:rpcCallSize-1]) == nil {
		t.Error("a short call is answered")
	}
	for _, word := range []int{0, 1, 2, 5, 6} {
		if err := answerCall(reply, call); err != nil {
			t.Fatal(err)
		}
		reply[4*word+3]++
		if checkReply(reply, 7) == nil {
			t.Errorf("a reply with another word %d is taken", word)
		}
	}
	if checkReply(reply[:rpcReplySize-4], 7) == nil {
		t.Error("a short reply is taken")
	}
}

// FuzzRPC: whatever comes is answered or refused, and an answer is one to the call.
func FuzzRPC(f *testing.F) {
	call := make([]byte, rpcCallSize)
	putCall(call, 1, 1)
	f.Add(call)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		reply := make([]byte, rpcReplySize)
		if answerCall(reply, b) != nil {
			return
		}
		if err := checkReply(reply, binary.BigEndian.Uint32(b)); err != nil {
			t.Errorf("% x is answered with % x: %v", b, reply, err)
		}
	})
}
