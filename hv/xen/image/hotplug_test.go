package image

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

// sizing is the code in Debian's 6.1.0-57-amd64, from the mov to the mask.
const sizing = "ba00000008 48c7056f63290002000000 4839d0 4889058d632900 480f42c2 488d04c5ffff1f00 4825 0000e0ff"

// farther is the code in Debian's 6.12.118+deb13-amd64.
const farther = "ba00000008 be00002000 48c7c760567483 4156 4155 4154 55 53 b3ff 4883ec10 488b059f25b0ff 48c705dc3c3e0002000000" +
	"4839d0 488905023d3e00 480f42c2 488d04c5ffff1f00 4825 0000e0ff"

// other holds the same number for another purpose, as xen/setup.c does.
const other = "803dc0e30a0000 ba00000008 480f45c2 e9e200d8fe"

func code(t *testing.T, text ...string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(strings.Join(text, ""), " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestLimitHotplug(t *testing.T) {
	lower := func(text string) string { return strings.Replace(text, "ba00000008", "ba00004000", 1) }
	tests := []struct {
		name         string
		kernel, want []byte
		found        bool
	}{
		{"Debian's", code(t, other, sizing, other), code(t, other, lower(sizing), other), true},
		{"Debian 13's", code(t, other, farther), code(t, other, lower(farther)), true},
		{"another register", code(t, "90", strings.NewReplacer("ba0", "be0", "04c5", "0cd5", "4825", "4881e1").Replace(sizing)),
			code(t, "90", strings.NewReplacer("ba00000008", "be00004000", "04c5", "0cd5", "4825", "4881e1").Replace(sizing)), true},
		{"none", code(t, other), code(t, other), false},
		{"two", code(t, sizing, sizing), code(t, sizing, sizing), false},
		{"another scale", code(t, strings.Replace(sizing, "04c5", "0485", 1)), code(t, strings.Replace(sizing, "04c5", "0485", 1)), false},
		{"cut off", code(t, sizing)[:30], code(t, sizing)[:30], false},
		{"empty", nil, nil, false},
	}
	for _, tt := range tests {
		if found := LimitHotplug(tt.kernel); found != tt.found || !bytes.Equal(tt.kernel, tt.want) {
			t.Errorf("%s: found %v: %x\nwant %v: %x", tt.name, found, tt.kernel, tt.found, tt.want)
		}
	}
}

func FuzzLimitHotplug(f *testing.F) {
	f.Add([]byte("\xba\x00\x00\x00\x08\x04\xc5\xff\xff\x1f\x00\x48\x25\x00\x00\xe0\xff"))
	f.Fuzz(func(t *testing.T, kernel []byte) {
		before := bytes.Clone(kernel)
		found := LimitHotplug(kernel)
		differ := 0
		for i := range kernel {
			if kernel[i] != before[i] {
				differ++
			}
		}
		if len(kernel) != len(before) || differ > 4 || found != (differ > 0) {
			t.Errorf("found %v, and %d bytes differ", found, differ)
		}
	})
}
