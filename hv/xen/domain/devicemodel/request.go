package devicemodel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"unsafe"
)

// access is what a vCPU asks of a device model: struct ioreq (public/hvm/ioreq.h), in a
// page that Xen and the device model share. The first one is the first vCPU's; here is no other.
type access struct {
	page []byte
}

// Offsets in struct ioreq.
const (
	offAddr  = 0
	offData  = 8
	offCount = 16
	offSize  = 20
	offPort  = 24
	offState = 28 // two bytes of padding, the state with flags, the type
)

// Of the number at offState.
const (
	stateShift = 16
	stateBits  = 0xf
	isPointer  = 1 << (stateShift + 4)
	isRead     = 1 << (stateShift + 5)
	typeShift  = 24
)

// States, and types of requests.
const (
	stateReady    = 1
	stateAnswered = 3

	typePort   = 0
	typeConfig = 2
	// The clock was set; mappings of the domain's memory are no longer right. There are none.
	typeTimeOffset = 7
	typeInvalidate = 8
)

// word is the number that has the state. Xen writes it last, and reads it first.
func (a access) word() *uint32 { return (*uint32)(unsafe.Pointer(&a.page[offState])) }

// port is the event channel by which Xen and the device model tell each other.
func (a access) port() uint32 { return binary.LittleEndian.Uint32(a.page[offPort:]) }

// errPointer is the cause for a request that no kernel makes of the platform.
var errPointer = errors.New("string instructions on the platform's ports are not emulated")

// serve answers a request, if there is one, and says whether there was. One that it does not
// know is answered too, or the vCPU would wait for ever.
func (a access) serve(p *platform) (bool, error) {
	word := atomic.LoadUint32(a.word())
	if word>>stateShift&stateBits != stateReady {
		return false, nil
	}
	err := a.carryOut(p, word)
	answered := word&^(stateBits<<stateShift) | stateAnswered<<stateShift
	atomic.StoreUint32(a.word(), answered)
	return true, err
}

func (a access) carryOut(p *platform, word uint32) error {
	le := binary.LittleEndian
	addr, data, size := le.Uint64(a.page[offAddr:]), uint32(le.Uint64(a.page[offData:])), le.Uint32(a.page[offSize:])
	read := word&isRead != 0
	result := uint32(allOnes)
	var err error
	switch kind := word >> typeShift; {
	case word&isPointer != 0:
		err = errPointer
	case kind == typePort && read:
		result = p.readPort(addr, size)
	case kind == typePort:
		p.writePort(addr, size, data)
	case kind == typeConfig && read:
		result = p.readConfig(uint16(addr>>32), uint32(addr), size)
	case kind == typeConfig:
		p.writeConfig(uint16(addr>>32), uint32(addr), size, data)
	case kind == typeTimeOffset || kind == typeInvalidate:
	default:
		err = fmt.Errorf("a request of type %d", kind)
	}
	if read && word&isPointer == 0 {
		le.PutUint64(a.page[offData:], uint64(result))
	}
	return err
}
