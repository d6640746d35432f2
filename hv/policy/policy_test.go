package policy_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xsmbench/hv"
	"xsmbench/hv/policy"
	"xsmbench/hv/store"
	"xsmbench/internal/require"
	own "xsmbench/xsm/flask/policy"
	"xsmbench/xsm/flask/policy/checkpolicy"
	"xsmbench/xsm/flask/policydb"
)

func accept([]byte) error { return nil }

func openStore(t *testing.T) *store.Store {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	s, err := store.Default()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func write(t *testing.T, text []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "my.pol")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// A policy is kept as it was, and found by its hash when its file has changed.
func TestKeep(t *testing.T) {
	s, path := openStore(t), write(t, own.Binary)
	k, err := policy.Keep(t.Context(), s, path, policydb.Magic, accept)
	if err != nil {
		t.Fatal(err)
	}
	defer k.Release()
	if k.Hash != policy.Hash(own.Binary) {
		t.Errorf("hash %s", k.Hash)
	}
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	found, err := policy.Find(s, k.Hash)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Release()
	if text, err := os.ReadFile(found.Path()); err != nil || !bytes.Equal(text, own.Binary) {
		t.Errorf("%d bytes, %v", len(text), err)
	}
}

// What is refused is named.
func TestKeepRefuses(t *testing.T) {
	s := openStore(t)
	wrong := errors.New("it lacks much")
	for name, c := range map[string]struct {
		text  []byte
		check func([]byte) error
		want  string
	}{
		"no policy": {[]byte("#!/bin/sh\n"), accept, "it does not begin with the magic number 0xf97cff8c"},
		"unfit":     {own.Binary, func([]byte) error { return wrong }, wrong.Error()},
	} {
		path := write(t, c.text)
		_, err := policy.Keep(t.Context(), s, path, policydb.Magic, c.check)
		if err == nil || !strings.HasPrefix(err.Error(), "policy "+path+": ") || !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := policy.Find(s, strings.Repeat("0", 64)); err == nil || !strings.Contains(err.Error(), "find policy 0000") {
		t.Errorf("a policy that was not kept: %v", err)
	}
}

func TestDescribe(t *testing.T) {
	db, err := policydb.Read(own.Binary)
	if err != nil {
		t.Fatal(err)
	}
	if got := policy.Describe(db); !strings.HasPrefix(got, "version 24 without levels, ") || !strings.HasSuffix(got, " rules") {
		t.Errorf("described as %q", got)
	}
}

func TestCompareSame(t *testing.T) {
	if c := policy.Compare(own.Binary, own.Binary); c.Parts != nil || c.Unknown != "" {
		t.Errorf("a policy differs from itself: %+v", c)
	}
	if c := policy.Compare(own.Binary, own.Binary[:100]); c.Unknown == "" {
		t.Errorf("a damaged policy: %+v", c)
	}
}

// before and after are small policies; what differs is what the test wants.
const before = `
class domain class event
sid xen
class domain { pause unpause }
class event { send status }
attribute guest_type;
type xen_t; type dom0_t; type domU_t, guest_type;
bool strict false;
allow dom0_t guest_type:domain { pause };
allow domU_t domU_t:event { send status };
type_transition domU_t dom0_t:event dom0_t;
if (strict) { auditallow dom0_t domU_t:domain pause; }
role system_r; role system_r types { xen_t dom0_t domU_t };
user system_u roles { system_r };
constrain event { send } (t1 == t2 or r1 == r2);
sid xen system_u:system_r:xen_t
`

const after = `
class domain class event
sid xen
class domain { pause unpause }
class event { send status }
attribute guest_type;
type xen_t; type dom0_t; type domU_t, guest_type; type quota_t, guest_type;
bool strict true;
allow dom0_t guest_type:domain { pause unpause };
allow domU_t domU_t:event { send };
type_transition domU_t dom0_t:event domU_t;
if (strict) { auditallow dom0_t domU_t:domain { pause unpause }; }
role system_r; role system_r types { xen_t dom0_t domU_t quota_t };
user system_u roles { system_r };
constrain event { send } (t1 == t2 or (u1 == u2 and not (t2 == xen_t)));
sid xen system_u:system_r:xen_t
iomemcon 0x10-0x1f system_u:system_r:xen_t
`

func TestCompare(t *testing.T) {
	require.Program(t, "checkpolicy", "checkpolicy")
	compile := func(source string, version int) []byte {
		text, err := checkpolicy.Compile([]byte(source), "Xen", version, false)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	// The statements of one sort, and only those, are what differs.
	got := policy.Compare(compile(before, 24), compile(after, 30))
	want := hv.PolicyChange{Parts: []hv.PolicyPart{
		{What: "version", Before: "24", After: "30"},
		{What: "roles", Added: 1, New: []string{"role system_r types { quota_t }"}},
		{What: "types", Added: 1, New: []string{"type quota_t"}},
		{What: "attributes", Added: 1, New: []string{"attribute guest_type of { quota_t }"}},
		{What: "rules", Added: 2, Removed: 2,
			New:  []string{"allow dom0_t guest_type:domain { unpause }", "type_transition domU_t dom0_t:event domU_t"},
			Gone: []string{"allow domU_t domU_t:event { status }", "type_transition domU_t dom0_t:event dom0_t"}},
		{What: "conditional rules", Added: 1, New: []string{"if (strict) auditallow dom0_t domU_t:domain { unpause }"}},
		{What: "booleans", Added: 1, Removed: 1, New: []string{"bool strict true"}, Gone: []string{"bool strict false"}},
		{What: "constraints", Added: 1, Removed: 1,
			New:  []string{"constrain event { send } (t1 == t2 or (u1 == u2 and (not t2 == { xen_t })))"},
			Gone: []string{"constrain event { send } (t1 == t2 or r1 == r2)"}},
		{What: "device contexts", Added: 1, New: []string{"iomemcon 0x10-0x1f system_u:system_r:xen_t"}},
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
