package ss_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"xsmbench/xsm/flask/policydb"
)

// take returns a compiled policy without one permission of its allow rule for
// the types: a rule is source, target, class and kind, 16 bits each, and the
// permissions.
func take(t testing.TB, bin []byte, db *policydb.DB, source, target, class, perm string) []byte {
	t.Helper()
	c := db.Classes.Value(class)
	var key []byte
	for _, v := range []uint32{db.Types.Value(source), db.Types.Value(target), c, policydb.Allowed} {
		key = binary.LittleEndian.AppendUint16(key, uint16(v))
	}
	at := bytes.Index(bin, key)
	if at < 0 {
		t.Fatalf("no rule allow %s %s:%s", source, target, class)
	}
	bin = slices.Clone(bin)
	datum := bin[at+len(key):]
	bit := uint32(1) << (db.Classes.At(c).Permissions.Value(perm) - 1)
	binary.LittleEndian.PutUint32(datum, binary.LittleEndian.Uint32(datum)&^bit)
	return bin
}
