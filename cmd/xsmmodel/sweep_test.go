//go:build xsm && flask

package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"xsmbench/xsm/flask/policy"
	"xsmbench/xsm/flask/policydb"
)

// bootTypes are the types that a boot with one domU meets.
var bootTypes = []string{
	"xen_t", "dom0_t", "domU_t", "dom0_domU_evchn_t", "domU_evchn_t", "dom0_self_evchn_t", "security_t", "domio_t", "domxen_t", "unlabeled_t",
}

// hung is far longer than any boot takes.
const hung = 5 * time.Minute

// TestWithoutOne boots with the policy but for one permission of one rule, for
// every permission: the machine comes up, or dom0 gives up and the error names
// the denial. By default those rules are left out on types that the boot does
// not meet (XSMBENCH_SIMULATE=1 takes them all), and under the race detector and on
// 386 all but each sixteenth: a boot takes several times as long there, and what the
// policy says is the same.
func TestWithoutOne(t *testing.T) {
	db, err := policydb.Read(policy.Binary)
	if err != nil {
		t.Fatal(err)
	}
	all := os.Getenv("XSMBENCH_SIMULATE") == "1"
	met := func(v uint16) bool {
		return all || db.Types.At(uint32(v)).Attribute || slices.Contains(bootTypes, db.Types.Name(uint32(v)))
	}
	every := 1
	if raced || runtime.GOARCH != "amd64" {
		every = 16
	}
	boots, refused, n := 0, 0, 0
	for r := range db.Rules.All {
		if r.Specified != policydb.Allowed || !met(r.Source) || !met(r.Target) {
			continue
		}
		class := db.Classes.At(uint32(r.Class))
		for v := uint32(1); int(v) <= class.Permissions.Len(); v++ {
			if r.Datum>>(v-1)&1 == 0 {
				continue
			}
			rule := db.Types.Name(uint32(r.Source)) + " " + db.Types.Name(uint32(r.Target)) + ":" + db.Classes.Name(uint32(r.Class))
			if n++; n%every != 0 {
				continue
			}
			boots++
			if !bootWithout(t, r.Key, v, rule, class.Permissions.Name(v)) {
				refused++
			}
		}
	}
	t.Logf("%d boots, %d ended with a denial", boots, refused)
	if refused == 0 {
		t.Error("no permission is needed")
	}
}

// bootWithout boots without one permission and says whether that went well.
func bootWithout(t *testing.T, k policydb.Key, perm uint32, rule, name string) bool {
	t.Helper()
	var key []byte
	for _, v := range []uint16{k.Source, k.Target, k.Class, k.Specified} {
		key = binary.LittleEndian.AppendUint16(key, v)
	}
	pol := slices.Clone(policy.Binary)
	datum := pol[bytes.Index(pol, key)+len(key):]
	binary.LittleEndian.PutUint32(datum, binary.LittleEndian.Uint32(datum)&^(1<<(perm-1)))
	path := filepath.Join(t.TempDir(), "policy")
	if err := os.WriteFile(path, pol, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), hung)
	defer cancel()
	var out, console bytes.Buffer
	const plan = `{"domains":["dom0","domU"],"benchmarks":[],"options":{"enough_us":20,"repetitions":1}}`
	code := run(ctx, []string{"-policy", path}, strings.NewReader(plan), &out, &console)
	if code == exitDone {
		return true
	}
	last := console.String()
	last = last[strings.LastIndex(strings.TrimSuffix(last, "\n"), "\n")+1:]
	if _, denial, ok := strings.Cut(last, "the security module's last denial: denied  {"); !ok || !strings.Contains(denial, " "+name+" ") {
		t.Errorf("without %s %s: exit code %d, %q", rule, name, code, last)
	}
	return false
}
