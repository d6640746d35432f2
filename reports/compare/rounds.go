package compare

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
)

// roundSet stands for a list of rounds: equal sets are equal lists. A row keeps
// it instead of the list, which may be long and is only ever compared.
type roundSet [sha256.Size]byte

// roundDigest makes a roundSet.
type roundDigest struct {
	hash hash.Hash
	run  string // of the last round
}

func newRounds() *roundDigest { return &roundDigest{hash: sha256.New()} }

func (d *roundDigest) add(r round) {
	var text []byte
	if r.run != d.run {
		d.run = r.run
		text = append(append(text, 0), r.run...)
		text = append(text, 0) // no path has one
	} else {
		text = append(text, 1)
	}
	d.hash.Write(binary.LittleEndian.AppendUint64(text, uint64(r.round)))
}

func (d *roundDigest) set() (s roundSet) {
	d.hash.Sum(s[:0])
	return s
}
