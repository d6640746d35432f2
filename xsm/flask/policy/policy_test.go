package policy_test

import (
	"bytes"
	"errors"
	"testing"

	"xsmbench/internal/require"
	"xsmbench/xsm/flask/policy"
	"xsmbench/xsm/flask/policy/checkpolicy"
	"xsmbench/xsm/flask/policydb"
)

func compile(t *testing.T, src []byte, target string, version int) []byte {
	t.Helper()
	bin, err := checkpolicy.Compile(src, target, version, false)
	if errors.Is(err, checkpolicy.ErrMissing) {
		require.Missing(t, err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// TestCompiled makes sure that the committed binary is what its source says.
func TestCompiled(t *testing.T) {
	src, err := checkpolicy.Source("source")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(compile(t, src, "Xen", 24), policy.Binary) {
		t.Errorf("%s is not what its source compiles to: run go generate", policy.FileName)
	}
}

// TestSize keeps the policy of realistic size, on which the cost of a miss
// depends.
func TestSize(t *testing.T) {
	db, err := policydb.Read(policy.Binary)
	if err != nil {
		t.Fatal(err)
	}
	attributes := 0
	for v := uint32(1); int(v) <= db.Types.Len(); v++ {
		if db.Types.At(v).Attribute {
			attributes++
		}
	}
	var allow, transition int
	for r := range db.Rules.All {
		switch r.Specified {
		case policydb.Allowed:
			allow++
		case policydb.Transition:
			transition++
		}
	}
	for _, c := range []struct {
		what      string
		have, min int
	}{
		{"types", db.Types.Len() - attributes, 40},
		{"attributes", attributes, 10},
		{"allow rules", allow, 280},
		{"type transitions", transition, 20},
		{"classes", db.Classes.Len(), 9},
		{"labelled interrupts", len(db.PIRQs), 4},
		{"labelled I/O ports", len(db.IOPorts), 4},
		{"labelled I/O memory", len(db.IOMems), 4},
	} {
		t.Logf("%d %s", c.have, c.what)
		if c.have < c.min {
			t.Errorf("%d %s, want %d", c.have, c.what, c.min)
		}
	}
}

// TestVersions reads the policy in every version of the format that
// checkpolicy writes.
func TestVersions(t *testing.T) {
	src, err := checkpolicy.Source("source")
	if err != nil {
		t.Fatal(err)
	}
	var old []byte // SELinux has none of Xen's resources
	for line := range bytes.Lines(src) {
		if !bytes.Contains(line, []byte("con ")) {
			old = append(old, line...)
		}
	}
	cases := []struct {
		target  string
		version int
		src     []byte
	}{{"Xen", 24, src}, {"Xen", 30, src}}
	for v := policydb.VersionMin; v <= policydb.VersionMax; v++ {
		cases = append(cases, struct {
			target  string
			version int
			src     []byte
		}{"selinux", v, old})
	}
	want, err := policydb.Read(policy.Binary)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		db, err := policydb.Read(compile(t, c.src, c.target, c.version))
		if err != nil {
			t.Errorf("%s version %d: %v", c.target, c.version, err)
			continue
		}
		if db.Version != uint32(c.version) || len(db.InitialSIDs) != len(want.InitialSIDs) || db.Classes.Len() != want.Classes.Len() {
			t.Errorf("%s version %d: read as version %d with %d initial SIDs, %d classes", c.target, c.version, db.Version, len(db.InitialSIDs), db.Classes.Len())
		}
		if c.target == "Xen" && len(db.IOMems) != len(want.IOMems) {
			t.Errorf("%s version %d: %d ranges of I/O memory, want %d", c.target, c.version, len(db.IOMems), len(want.IOMems))
		}
	}
}
