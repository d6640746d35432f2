package store

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"sync"
)

// Kind is a sort of entry or workspace, with a bound.
type Kind struct {
	Name  string // of its folder: lower-case letters, digits and hyphens
	Doc   string // one line for the user
	Bound int64  // bytes; above it, what was not used for longest goes; 0 for none
	// Local says why entries of the kind are not shared with other machines; ""
	// if they are.
	Local string
}

var (
	kindsMu sync.Mutex
	kinds   = map[string]Kind{}
)

var kindName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// Register makes a kind known, for `xsmbench cache` and for its bound. It
// panics if the name is taken or cannot be a folder's.
func Register(k Kind) Kind {
	kindsMu.Lock()
	defer kindsMu.Unlock()
	if !kindName.MatchString(k.Name) {
		panic(fmt.Sprintf("store: bad name of a kind: %q", k.Name))
	}
	if _, taken := kinds[k.Name]; taken {
		panic(fmt.Sprintf("store: kind %q is registered twice", k.Name))
	}
	kinds[k.Name] = k
	return k
}

// Kinds lists the registered kinds by name.
func Kinds() []Kind {
	kindsMu.Lock()
	defer kindsMu.Unlock()
	var list []Kind
	for _, k := range kinds {
		list = append(list, k)
	}
	slices.SortFunc(list, func(a, b Kind) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// Key names an entry by all that decides it: 32 hexadecimal digits of a
// SHA-256, or more.
type Key string

// KeyOf hashes the parts, each with its length, so that they cannot run
// together.
func KeyOf(parts ...string) Key {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return Key(hex.EncodeToString(h.Sum(nil))[:32])
}

var keyForm = regexp.MustCompile(`^[0-9a-f]{32,64}$`)

func check(k Kind, key Key) error {
	kindsMu.Lock()
	defer kindsMu.Unlock()
	if _, ok := kinds[k.Name]; !ok {
		return fmt.Errorf("kind %q is not registered", k.Name)
	}
	if !keyForm.MatchString(string(key)) {
		return fmt.Errorf("%q is not a key", key)
	}
	return nil
}
