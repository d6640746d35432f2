package gate

import (
	"maps"
	"strings"
	"testing"
)

func TestParseRenames(t *testing.T) {
	got, err := parseRenames("x.toml", "rounds = 3\n[rename]\nflask = \"mine\"\n\"Kbench/hypercall/op=a\" = \"Kbench/hypercall/op=b\"\n")
	want := map[string]string{"flask": "mine", "Kbench/hypercall/op=a": "Kbench/hypercall/op=b"}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := parseRenames("x.toml", "rounds = 3"); len(got) > 0 || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	for text, want := range map[string]string{
		"\nrename = = 3":              "x.toml:2: ",
		"rename = \"x\"":              "x.toml: rename = x: use a table of old and new names",
		"[rename]\nflask = 3":         "x.toml: [rename] \"flask\" = 3: give an old name and a new one",
		"[rename]\nflask = \"flask\"": `x.toml: [rename] "flask" = "flask": give an old name and a new one`,
		"[rename]\nflask = \"\"":      "give an old name and a new one",
	} {
		if _, err := parseRenames("x.toml", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}

func FuzzParseRenames(f *testing.F) {
	f.Add("[rename]\nflask = \"mine\"")
	f.Add("rename = {a = \"b\"}")
	f.Add("[rename.x]\na = 3")
	f.Fuzz(func(t *testing.T, text string) {
		names, err := parseRenames("x.toml", text)
		for old, name := range names {
			if err != nil || old == name || name == "" || old == "" {
				t.Errorf("%q: %q, %v", text, names, err)
			}
		}
	})
}
