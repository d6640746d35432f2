package image

import (
	"strings"
	"testing"
)

func FuzzParseDepends(f *testing.F) {
	f.Add([]byte("license=GPL\x00depends=a,b\x00name=c\x00"))
	f.Add([]byte("depends=\x00depends=,\x00"))
	f.Fuzz(func(t *testing.T, modinfo []byte) {
		for _, name := range parseDepends(modinfo) {
			if strings.ContainsAny(name, "\x00,") || !strings.Contains(string(modinfo), name) {
				t.Errorf("%q: depends on %q", modinfo, name)
			}
		}
	})
}
