// Package policy is what targets do with the policy files of builds (hv.Build.Policy):
// they are checked, kept in the store under their hash, so that they cannot change
// during a run, found in programs that carry one, and compared.
package policy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"xsmbench/hv/store"
	"xsmbench/xsm"
	"xsmbench/xsm/flask/policydb"
)

var policies = store.Register(store.Kind{
	Name: "policies", Doc: "policies that builds load instead of their own", Bound: 100 << 20,
	Local: "they are copies of files that are at hand",
})

// file is an entry's.
const file = "policy"

// Kept is a policy in the store. It is there until its entry is released.
type Kept struct {
	*store.Entry
	Hash string // SHA-256, hex
}

// Path is its file.
func (k Kept) Path() string { return k.Entry.Path(file) }

// Keep reads a file that is to be a policy, which begins with a module's magic
// number, has it checked, and keeps a copy. Errors name the file.
func Keep(ctx context.Context, s *store.Store, path string, magic uint32, check func(text []byte) error) (Kept, error) {
	text, err := xsm.ReadPolicy(path, magic)
	if err == nil {
		err = check(text)
	}
	if err != nil {
		return Kept{}, fmt.Errorf("policy %s: %w", path, err)
	}
	hash := Hash(text)
	e, err := s.Get(ctx, policies, store.Key(hash), store.Recipe{What: "policy " + path, Make: func(_ context.Context, dir string) error {
		return os.WriteFile(filepath.Join(dir, file), text, 0o644)
	}})
	return Kept{e, hash}, err
}

// Find finds a policy that was kept.
func Find(s *store.Store, hash string) (Kept, error) {
	e, err := s.Lookup(policies, store.Key(hash))
	if err != nil {
		return Kept{}, fmt.Errorf("find policy %s: %w", hash, err)
	}
	return Kept{e, hash}, nil
}

// Hash names a policy.
func Hash(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Describe says in a few words what a policy is.
func Describe(db *policydb.DB) string {
	levels := "without levels"
	if db.MLS {
		levels = "with levels (MLS)"
	}
	types := 0
	for v := uint32(1); int(v) <= db.Types.Len(); v++ {
		if t := db.Types.At(v); t != nil && !t.Attribute {
			types++
		}
	}
	return fmt.Sprintf("version %d %s, %d types, %d rules", db.Version, levels, types, db.Rules.Len())
}
