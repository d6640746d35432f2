package native

import "encoding/binary"

// Sizes of requests and replies on the pipes, in bytes.
const (
	RequestSize = 16
	ReplySize   = 8
)

// Unmarked is the slot of a request whose loop marks no window.
const Unmarked = -1

// Request asks a server to run its loop.
type Request struct {
	Count int64 // iterations, at least 1
	Slot  int64 // of the window to mark, in [0, Slots-1), or Unmarked
}

// Put writes the request to b, RequestSize bytes.
func (r Request) Put(b []byte) {
	binary.LittleEndian.PutUint64(b, uint64(r.Count))
	binary.LittleEndian.PutUint64(b[8:], uint64(r.Slot))
}

// Reply reads a reply: 0, or an error number. EPROTO is an iteration that did
// not do what it should, as a child that ended with another status.
func Reply(b []byte) int { return -int(int64(binary.LittleEndian.Uint64(b))) }
