package model

import "encoding/binary"

// Microcode updates in Intel's format (arch/x86/microcode.c): a header of 48
// bytes, data, and a sum over all words that comes to zero.
const (
	ucodeHeader      = 48
	ucodeDefaultData = 2000
	ucodeDefaultSize = ucodeDefaultData + ucodeHeader
	ucodeGranularity = 1024
)

// What the machine's processors are.
const (
	cpuSignature = 0x000006f6
	cpuFlags     = 1
)

// microcodeState is a processor's identity and the update it has.
type microcodeState struct {
	signature, flags, revision uint32
}

// update applies what is newer and meant for the processors in a sequence of
// updates. It returns -EINVAL for malformed ones; updates for others are
// passed over.
func (s *microcodeState) update(data []byte) int64 {
	if len(data) < ucodeDefaultSize {
		return einval
	}
	for len(data) > 0 {
		u, size, ok := parseMicrocode(data)
		if !ok {
			return einval
		}
		if u.signature == s.signature && u.flags&s.flags != 0 && u.revision > s.revision {
			s.revision = u.revision
		}
		data = data[size:]
	}
	return 0
}

// parseMicrocode reads the update that data begins with: whom it is for, its
// revision and its size.
func parseMicrocode(data []byte) (u microcodeState, size int, ok bool) {
	if len(data) < ucodeHeader {
		return u, 0, false
	}
	word := func(i int) uint32 { return binary.LittleEndian.Uint32(data[4*i:]) }
	u = microcodeState{signature: word(3), flags: word(6), revision: word(1)}
	dataSize, total := uint64(word(7)), uint64(word(8))
	if dataSize == 0 {
		dataSize = ucodeDefaultData
		total = ucodeDefaultSize
	}
	if word(0) != 1 || word(5) != 1 || total > uint64(len(data)) || total < dataSize+ucodeHeader ||
		total%4 != 0 || (word(7) != 0 && total%ucodeGranularity != 0) {
		return u, 0, false
	}
	sum := uint32(0)
	for i := range int(total / 4) {
		sum += word(i)
	}
	return u, int(total), sum == 0
}
