package policydb_test

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"xsmbench/internal/require"
	"xsmbench/xsm/flask/policy"
	"xsmbench/xsm/flask/policy/checkpolicy"
	"xsmbench/xsm/flask/policydb"
)

// TestTruncated cuts the policy at every offset: each cut is refused, at an
// offset within it, and every section of the policy is the one at fault for
// some cut.
func TestTruncated(t *testing.T) {
	sections := make(map[string]int)
	for n := range policy.Binary {
		_, err := policydb.Read(policy.Binary[:n])
		var e *policydb.Error
		if !errors.As(err, &e) {
			t.Fatalf("cut at %d: %v", n, err)
		}
		if !errors.Is(err, policydb.ErrTruncated) {
			t.Fatalf("cut at %d: %v, want %v", n, err, policydb.ErrTruncated)
		}
		if e.Offset > n || !strings.Contains(err.Error(), fmt.Sprintf("%s at offset %d", e.Section, e.Offset)) {
			t.Fatalf("cut at %d: error names offset %d: %v", n, e.Offset, err)
		}
		sections[e.Section]++
	}
	for _, want := range []string{
		"header", "capabilities", "permissive types", "commons", "classes", "roles", "types", "users",
		"booleans", "levels", "categories", "rules", "conditional rules", "role transitions", "role allows",
		"initial SIDs", "physical interrupts", "I/O ports", "I/O memory", "PCI devices", "file systems",
		"range transitions", "type_attr_map",
	} {
		if sections[want] == 0 {
			t.Errorf("no cut names section %q", want)
		}
	}
}

// edit returns the policy with n bytes at off replaced.
func edit(off, n int, with ...byte) []byte {
	b := append([]byte(nil), policy.Binary[:off]...)
	return append(append(b, with...), policy.Binary[off+n:]...)
}

func word(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }

func TestHeader(t *testing.T) {
	for _, c := range []struct {
		name string
		buf  []byte
		want error
		text string
	}{
		{"empty", nil, policydb.ErrTruncated, "header at offset 0"},
		{"wrong magic", edit(0, 4, word(0xf97cff8d)...), policydb.ErrMagic, "header at offset 0"},
		{"text", []byte("policy_module(xen, 1.0)"), policydb.ErrMagic, "header at offset 0"},
		{"SELinux module", edit(0, 4, word(0xf97cff8d)...), policydb.ErrMagic, ""},
		{"wrong target", edit(8, 8, []byte("XenSilos")...), policydb.ErrTarget, `"XenSilos"`},
		{"long target", edit(4, 4, word(1<<31)...), policydb.ErrTruncated, "target's name"},
		{"version 23", edit(16, 4, word(23)...), policydb.ErrVersion, "version 23"},
		{"version 32", edit(16, 4, word(32)...), policydb.ErrVersion, "version 32 of a policy for \"XenFlask\" is not in 24 to 31"},
		{"old version 14", edit(8, 12, append([]byte("SE Linux"), word(14)...)...), policydb.ErrVersion, "15 to 31"},
		{"7 symbol tables", edit(24, 4, word(7)...), policydb.ErrInvalid, "7 symbol tables"},
		{"9 object contexts", edit(28, 4, word(9)...), policydb.ErrInvalid, "9 kinds of object contexts"},
		{"bytes after it", append(append([]byte(nil), policy.Binary...), 0), policydb.ErrInvalid, fmt.Sprintf("end at offset %d", len(policy.Binary))},
	} {
		_, err := policydb.Read(c.buf)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v, want %v with %q", c.name, err, c.want, c.text)
		}
	}
}

// mostMemory is the memory that reading may take, in bytes per byte of the
// policy.
const mostMemory = 64

// TestFlip changes every byte of the policy, one at a time: what is read is
// then refused or sound, never a panic, and takes no more memory than a
// multiple of its size.
func TestFlip(t *testing.T) {
	refused := 0
	var before, after runtime.MemStats
	buf := append([]byte(nil), policy.Binary...)
	step := 1
	if testing.Short() {
		step = 50
	}
	for i := 0; i < len(buf); i += step {
		for _, x := range []byte{0x01, 0xff} {
			buf[i] ^= x
			runtime.ReadMemStats(&before)
			db, err := policydb.Read(buf)
			runtime.ReadMemStats(&after)
			if n := after.TotalAlloc - before.TotalAlloc; n > mostMemory*uint64(len(buf)) {
				t.Fatalf("byte %d with %#x: %d bytes allocated for a policy of %d", i, x, n, len(buf))
			}
			if err != nil {
				refused++
			} else {
				sound(t, db)
			}
			buf[i] ^= x
		}
	}
	if refused == 0 {
		t.Error("nothing was refused")
	}
}

// sound checks what users of a database rely on.
func sound(t *testing.T, db *policydb.DB) {
	t.Helper()
	if len(db.TypeAttrs) != db.Types.Len() {
		t.Fatalf("%d types, attributes of %d", db.Types.Len(), len(db.TypeAttrs))
	}
	for i, a := range db.TypeAttrs {
		if !a.Has(uint32(i)) || a.Max() >= db.Types.Len() {
			t.Fatalf("attributes of type %d: %v", i+1, a)
		}
	}
	for r := range db.Rules.All {
		if int(r.Source) > db.Types.Len() || int(r.Target) > db.Types.Len() || int(r.Class) > db.Classes.Len() {
			t.Fatalf("rule %+v", r)
		}
	}
	if db.Permissive.Max() > db.Types.Len() {
		t.Fatalf("permissive types %v", db.Permissive)
	}
	for _, r := range db.RoleTrans {
		if db.Roles.At(r.Role) == nil || db.Roles.At(r.New) == nil || db.Types.At(r.Type) == nil || int(r.Class) > db.Classes.Len() {
			t.Fatalf("role transition %+v", r)
		}
	}
	for _, r := range db.RoleAllow {
		if db.Roles.At(r.Role) == nil || db.Roles.At(r.New) == nil {
			t.Fatalf("role allow %+v", r)
		}
	}
	for _, r := range db.RangeTrans {
		if db.Types.At(r.Source) == nil || db.Types.At(r.Target) == nil || int(r.Class) > db.Classes.Len() {
			t.Fatalf("range transition %+v", r)
		}
	}
	for _, s := range db.InitialSIDs {
		if !db.Valid(&s.Context) {
			t.Fatalf("initial SID %d: %+v", s.SID, s.Context)
		}
	}
	for _, list := range [][]policydb.Range{db.PIRQs, db.IOPorts, db.IOMems, db.PCIDevices} {
		for _, r := range list {
			if r.Low > r.High || !db.Valid(&r.Context) {
				t.Fatalf("device %+v", r)
			}
		}
	}
}

// tiny is a policy with everything that the format has for Xen.
const tiny = `
class file
class domain
class event
sid xen
common base { read write }
class file inherits base { open }
class domain { create transition }
class event { send }
sensitivity s0;
sensitivity s1 alias upper;
dominance { s0 s1 }
category c0;
category c1 alias pair;
level s0:c0,c1;
level s1:c0,c1;
mlsconstrain file { read } ( l1 dom l2 and u1 == u2 or not t1 == a_t );
attribute every;
type a_t alias a2_t, every;
type b_t, every;
type c_t;
bool on true;
bool off false;
role r;
role r types { a_t b_t };
role q;
role q types c_t;
allow r q;
role_transition r c_t:domain q;
allow every every:file { read open };
allow a_t self:domain { create transition };
auditallow a_t b_t:file open;
dontaudit b_t a_t:file write;
type_transition a_t b_t:file c_t;
type_change a_t b_t:file c_t;
type_member a_t b_t:event c_t;
range_transition a_t b_t:file s1;
if (on && !off || on ^ off) { allow b_t b_t:event send; } else { auditallow b_t a_t:event send; }
permissive b_t;
user u roles { r q } level s0 range s0 - s1:c0,c1;
constrain file { write } ( t1 == { a_t b_t } and r1 != q );
validatetrans file ( t3 == a_t );
sid xen u:r:a_t:s0
pirqcon 3 u:r:a_t:s0
iomemcon 0x10-0x20 u:r:a_t:s0 - s1
ioportcon 0x80 u:r:b_t:s0:c0
pcidevicecon 0x1234 u:r:b_t:s0
`

func compile(t testing.TB, src string, mls bool, version int) []byte {
	t.Helper()
	bin, err := checkpolicy.Compile([]byte(src), "Xen", version, mls)
	if errors.Is(err, checkpolicy.ErrMissing) {
		require.Missing(t, err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// TestSections reads a policy with every section in use.
func TestSections(t *testing.T) {
	for _, version := range []int{24, 30} {
		src := tiny
		if version == 30 {
			src += "devicetreecon \"/soc/uart\" u:r:a_t:s0\n"
		}
		bin := compile(t, src, true, version)
		db, err := policydb.Read(bin)
		if err != nil {
			t.Fatalf("version %d: %v", version, err)
		}
		sound(t, db)
		file := db.Classes.At(db.Classes.Value("file"))
		for _, c := range []struct {
			what       string
			have, want any
		}{
			{"MLS", db.MLS, true},
			{"permissions of file", file.Permissions.Len(), 3},
			{"inherited permission", file.Permissions.Value("write"), uint32(2)},
			{"own permission", file.Permissions.Name(3), "open"},
			{"constraints of file", len(file.Constraints), 2},
			{"validatetrans of file", len(file.Validatetrans), 1},
			{"alias", db.Types.Value("a2_t"), db.Types.Value("a_t")},
			{"attribute", db.Types.At(db.Types.Value("every")).Attribute, true},
			{"attributes of b_t", db.TypeAttrs[db.Types.Value("b_t")-1].Len(), 2},
			{"booleans", db.Bools.Len(), 2},
			{"default of on", db.Bools.At(db.Bools.Value("on")).State, true},
			{"level's alias", db.Levels.Value("upper"), db.Levels.Value("s1")},
			{"category's alias", db.Cats.Value("pair"), db.Cats.Value("c1")},
			{"conditionals", len(db.Conditionals), 1},
			{"its rules that hold", db.ReadConditions().Rules.Len(), 1},
			{"its rules", len(db.Conditionals[0].True) + len(db.Conditionals[0].False), 2},
			{"role transitions", len(db.RoleTrans), version / 30}, // before 26 checkpolicy drops those on class domain
			{"role allows", len(db.RoleAllow), 1},
			{"range transitions", len(db.RangeTrans), 1},
			{"permissive", db.Permissive.Has(db.Types.Value("b_t")), true},
			{"interrupts", len(db.PIRQs), 1},
			{"I/O memory", [2]uint64{db.IOMems[0].Low, db.IOMems[0].High}, [2]uint64{0x10, 0x20}},
			{"its range of levels", db.IOMems[0].Context.Range.High.Sensitivity, uint32(2)},
			{"I/O ports", len(db.IOPorts), 1},
			{"its categories", db.IOPorts[0].Context.Range.Low.Categories.Len(), 1},
			{"PCI devices", db.PCIDevices[0].Low, uint64(0x1234)},
			{"device tree", len(db.DeviceTree), version / 30},
		} {
			if c.have != c.want {
				t.Errorf("version %d: %s: %v, want %v", version, c.what, c.have, c.want)
			}
		}
		kinds := make(map[uint16]int)
		for r := range db.Rules.All {
			kinds[r.Specified]++
		}
		if want := (map[uint16]int{policydb.Allowed: 2, policydb.AuditAllow: 1, policydb.AuditDeny: 1, policydb.Transition: 1, policydb.Change: 1, policydb.Member: 1}); fmt.Sprint(kinds) != fmt.Sprint(want) {
			t.Errorf("version %d: kinds of rules %v, want %v", version, kinds, want)
		}
		for n := range bin {
			if _, err := policydb.Read(bin[:n]); !errors.Is(err, policydb.ErrTruncated) {
				t.Fatalf("version %d cut at %d: %v", version, n, err)
			}
		}
	}
}

// TestSearch finds every rule of the policy, and only those.
func TestSearch(t *testing.T) {
	db, err := policydb.Read(policy.Binary)
	if err != nil {
		t.Fatal(err)
	}
	for r := range db.Rules.All {
		found := db.Rules.Search(r.Key)
		if found != r {
			t.Fatalf("rule %+v: found %+v", r, found)
		}
		n := 0
		for f := db.Rules.Search(policydb.Key{Source: r.Source, Target: r.Target, Class: r.Class, Specified: policydb.AV | policydb.TypeRule}); f != nil; f = db.Rules.Next(f, policydb.AV|policydb.TypeRule) {
			n++
			if f.Source != r.Source || f.Target != r.Target || f.Class != r.Class {
				t.Fatalf("search for %+v came to %+v", r.Key, f.Key)
			}
		}
		if n == 0 {
			t.Fatalf("rule %+v: none by mask", r)
		}
		miss := r.Key
		miss.Class = 999
		if f := db.Rules.Search(miss); f != nil {
			t.Fatalf("found %+v for class 999", f)
		}
	}
	if db.Rules.Slots() != 128 {
		t.Errorf("%d chains for %d rules, want 128", db.Rules.Slots(), db.Rules.Len())
	}
}

func TestBitmap(t *testing.T) {
	var b policydb.Bitmap
	for _, bit := range []uint32{191, 0, 64000, 1} {
		b.Set(bit)
	}
	if b.Len() != 4 || b.Max() != 64000 || !b.Has(0) || !b.Has(191) || b.Has(64) || b.Has(100000) || len(b) != 3 {
		t.Errorf("%v: %d bits, largest %d", b, b.Len(), b.Max())
	}
	var bits []uint32
	for bit := range b.All {
		bits = append(bits, bit)
	}
	if fmt.Sprint(bits) != "[0 1 191 64000]" {
		t.Errorf("bits %d", bits)
	}
	var part policydb.Bitmap
	part.Set(191)
	if !b.Contains(part) || part.Contains(b) || !part.Contains(nil) {
		t.Error("which set is part of which")
	}
	if m := (policydb.Bitmap{}).Max(); m != -1 {
		t.Errorf("largest bit of none is %d", m)
	}
}

// FuzzRead reads anything: what it accepts is sound, and reads the same again; whatever it is,
// it takes no more memory than a multiple of its size.
func FuzzRead(f *testing.F) {
	f.Add(policy.Binary)
	for n := 16; n < len(policy.Binary); n += len(policy.Binary) / 12 {
		f.Add(policy.Binary[:n])
	}
	f.Add(edit(8, 12, append([]byte("SE Linux"), word(15)...)...))
	f.Add(edit(16, 4, word(30)...))
	for _, version := range []int{24, 30} { // every section, where checkpolicy is
		if bin, err := checkpolicy.Compile([]byte(tiny), "Xen", version, true); err == nil {
			f.Add(bin)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		db, err := policydb.Read(b)
		runtime.ReadMemStats(&after)
		// What else runs in a fuzzing process may allocate meanwhile.
		if n := after.TotalAlloc - before.TotalAlloc; n > mostMemory*uint64(len(b))+1<<20 {
			t.Fatalf("%d bytes allocated for a policy of %d", n, len(b))
		}
		if err != nil {
			var e *policydb.Error
			if !errors.As(err, &e) || e.Offset < 0 || e.Offset > len(b) || e.Section == "" {
				t.Fatalf("error %v", err)
			}
			return
		}
		sound(t, db)
		again, err := policydb.Read(b)
		if err != nil {
			t.Fatalf("the second time: %v", err)
		}
		second := again.Entries()
		for i, s := range db.Entries() {
			if len(policydb.Statements(s.Entries)) > len(s.Entries) {
				t.Errorf("%s: more statements than entries", s.Name)
			}
			if !slices.Equal(sorted(s.Entries), sorted(second[i].Entries)) {
				t.Errorf("%s: says something else the second time", s.Name)
			}
		}
	})
}

func sorted(entries []policydb.Entry) []policydb.Entry {
	return slices.SortedFunc(slices.Values(entries), func(a, b policydb.Entry) int {
		return cmp.Or(strings.Compare(a.Head, b.Head), strings.Compare(a.Word, b.Word))
	})
}

// TestPermissiveTypes: a bit that is no type's value is damage. libsepol refuses it, too.
func TestPermissiveTypes(t *testing.T) {
	bin := compile(t, tiny, true, 30)
	const at = 32 + 12 + 12 + 4 // header, no capabilities, the map's header, its first bit
	for _, tt := range []struct {
		bit  int
		want string
	}{{0, "permissive type 0 of"}, {63, "permissive type 63 of"}} {
		b := bytes.Clone(bin)
		binary.LittleEndian.PutUint64(b[at:], 1<<tt.bit)
		if _, err := policydb.Read(b); !errors.Is(err, policydb.ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("bit %d: %v, want %q", tt.bit, err, tt.want)
		}
	}
}
