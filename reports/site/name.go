package site

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// mostSlug is how many letters of a name a file is called by.
const mostSlug = 40

// fileName is what a file of a thing can be called everywhere: a few letters that
// people recognise, and the start of a hash of all that names it, which tells it
// from others.
func fileName(text string, names ...string) string {
	return strings.Trim(slug(text)+"-"+hash(names...), "-")
}

// slug are the letters of a text that file systems and addresses take, in lower
// case since some file systems know no other.
func slug(text string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(text) {
		switch {
		case b.Len() >= mostSlug:
			return strings.Trim(b.String(), "-")
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.Trim(b.String(), "-")
}

// hash is of a list of names: another list has another hash.
func hash(names ...string) string {
	h := sha256.New()
	for _, name := range names {
		h.Write([]byte(name))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:5])
}
