package xen

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestForget: what was made is given back once, and made again for the next who
// wants it; what is being made is its maker's.
func TestForget(t *testing.T) {
	t.Parallel()
	var o once[string]
	made := 0
	get := func(name string, make func()) string {
		t.Helper()
		v, err := o.get(t.Context(), name, func(context.Context) (string, error) {
			made++
			make()
			return name, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	nothing := func() {}
	get("a", nothing)
	get("a", nothing)
	if got := o.forget(); made != 1 || cmp.Diff([]string{"a"}, got) != "" {
		t.Errorf("made %d times, forgot %q", made, got)
	}
	if got := o.forget(); got != nil {
		t.Errorf("forgot %q twice", got)
	}
	if v := get("b", func() {
		if got := o.forget(); got != nil {
			t.Errorf("forgot %q, which was being made", got)
		}
	}); v != "b" {
		t.Errorf("made %q", v)
	}
	if get("a", nothing); made != 3 {
		t.Errorf("made %d times", made)
	}
}
