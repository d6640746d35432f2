package model

import "testing"

// FuzzMicrocode reads any bytes as updates: one that is taken lies in them, and
// the next begins after it.
func FuzzMicrocode(f *testing.F) {
	f.Add(microcodeFile())
	f.Add(microcodeFile()[:ucodeHeader])
	f.Add(make([]byte, ucodeHeader+1))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, size, ok := parseMicrocode(data); ok && (size < ucodeHeader || size > len(data)) {
			t.Errorf("an update of %d bytes in %d", size, len(data))
		}
	})
}
