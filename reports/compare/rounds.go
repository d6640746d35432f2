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
	text []byte
}

func newRounds() *roundDigest { return &roundDigest{hash: sha256.New()} }

func (d *roundDigest) add(r round) {
	d.text = d.text[:0]
	if r.run != d.run {
		d.run = r.run
		d.text = append(d.text, r.run...)
	}
	d.text = append(d.text, 0) // no path has one
	d.text = binary.LittleEndian.AppendUint64(d.text, uint64(r.round))
	d.hash.Write(d.text)
}

func (d *roundDigest) set() (s roundSet) {
	d.hash.Sum(s[:0])
	return s
}
