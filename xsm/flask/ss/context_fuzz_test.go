package ss_test

import "testing"

// FuzzContext reads any text as a context: one that is taken is written as it
// was, and has one SID.
func FuzzContext(f *testing.F) {
	for _, text := range []string{"u:r:xen_t", "u:guest_r:guest_t", "v:r:xen_t", "u:object_r:all_type", "::", "u:r", "u:r:xen_t\x00"} {
		f.Add(text)
	}
	s := load(f, "", 30)
	f.Fuzz(func(t *testing.T, text string) {
		n, err := s.ContextToSID(text)
		if err != nil {
			return
		}
		back, err := s.SIDToContext(n)
		if err != nil || back != text {
			t.Errorf("%q became SID %d, which is %q: %v", text, n, back, err)
		}
		if again := sid(t, s, text); again != n {
			t.Errorf("%q is SID %d and SID %d", text, n, again)
		}
	})
}
