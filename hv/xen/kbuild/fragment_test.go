package kbuild

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseConfig(t *testing.T) {
	tests := []struct {
		name, text string
		want       Config
		err        string
	}{
		{"set", "CONFIG_XSM=y\n", Config{"CONFIG_XSM": "y"}, ""},
		{"not set", "# CONFIG_XSM is not set\n", Config{"CONFIG_XSM": "n"}, ""},
		{"number and string", "CONFIG_NR_CPUS=256\nCONFIG_CMDLINE=\"a=b\"\n", Config{"CONFIG_NR_CPUS": "256", "CONFIG_CMDLINE": `"a=b"`}, ""},
		{"comments", "#\n# Xen/x86 Configuration\n\nCONFIG_A=y\n", Config{"CONFIG_A": "y"}, ""},
		{"later wins", "CONFIG_A=y\n# CONFIG_A is not set\n", Config{"CONFIG_A": "n"}, ""},
		{"no prefix", "CONFIG_A=y\nXSM=y\n", nil, `2: "XSM=y" is neither`},
		{"no value", "CONFIG_A\n", nil, `1: "CONFIG_A" is neither`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseConfig(tt.text)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("error %v, want one with %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add(Common + "# CONFIG_XSM is not set\n")
	f.Add(Common + "CONFIG_XSM=y\nCONFIG_XSM_FLASK=y\n")
	f.Add("CONFIG_=\n# CONFIG_ is not set")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseConfig(text)
		if err == nil && len(c.Missing(c)) != 0 {
			t.Errorf("a configuration misses options of itself: %v", c.Missing(c))
		}
	})
}

func TestMissingAndDiff(t *testing.T) {
	base := Config{"CONFIG_A": "y", "CONFIG_B": "n", "CONFIG_N": "4"}
	got := Config{"CONFIG_A": "y", "CONFIG_C": "y", "CONFIG_N": "8"}
	if d := cmp.Diff([]string{"CONFIG_C: n -> y", "CONFIG_N: 4 -> 8"}, got.Diff(base)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"CONFIG_N=4 (is 8)"}, got.Missing(base)); d != "" {
		t.Error(d)
	}
}

func TestFirstError(t *testing.T) {
	tests := []struct{ out, want string }{
		{"", "it failed without a message"},
		{"make: Entering\nhooks.c:12:3: error: expected ';'\nmake: *** [x] Error 1\n", "hooks.c:12:3: error: expected ';'"},
		{"ld: a.o: undefined reference to `f'\nmake[1]: *** [y]", "ld: a.o: undefined reference to `f'"},
		{"ld: cannot find a.o\nmake: *** [Makefile:62: xen-syms] Error 1\n", "ld: cannot find a.o"},
		{"make[1]: *** [a] Error 1\nmake: *** [b] Error 2\n", "make[1]: *** [a] Error 1"},
		{"a line of any length " + strings.Repeat("x", 1<<20) + "\na.c:1: error: b\n", "a.c:1: error: b"},
		{"warning\nlast words\n", "last words"},
	}
	for _, tt := range tests {
		if got := firstError(tt.out); got != tt.want {
			t.Errorf("firstError(%q) = %q, want %q", tt.out, got, tt.want)
		}
	}
}
