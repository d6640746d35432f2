package change

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConfigChanges(t *testing.T) {
	got := configChanges(`source=4.17 A=y B=y V="gcc (Debian) 12" D=3`, `source=4.18 A=y C=m V="gcc (Debian) 13" D=4`)
	want := []string{"B: y → n", "C: n → m", "D: 3 → 4", `V: "gcc (Debian) 12" → "gcc (Debian) 13"`}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
