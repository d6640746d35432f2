package devicemodel

import (
	"bytes"
	"strings"
	"testing"
)

// stream is one side of a conversation: what the other has said, and what it hears.
type stream struct {
	*strings.Reader
	bytes.Buffer
}

func (s *stream) Read(p []byte) (int, error)  { return s.Reader.Read(p) }
func (s *stream) Write(p []byte) (int, error) { return s.Buffer.Write(p) }

// FuzzMonitor: whatever the toolstack says, each line that it hears is whole, and the first one
// greets it.
func FuzzMonitor(f *testing.F) {
	f.Add(`{"execute":"qmp_capabilities"}` + "\r\n" + `{"execute":"query-status","id":1}`)
	f.Add(`{"execute":"stop"}{}[]`)
	f.Add("\x00")
	f.Fuzz(func(t *testing.T, said string) {
		s := &stream{Reader: strings.NewReader(said)}
		_ = (&monitor{}).converse(s) // the error is about what was said
		heard := s.Buffer.String()
		if !strings.HasPrefix(heard, `{"QMP":`) || !strings.HasSuffix(heard, "}\r\n") {
			t.Errorf("%q hears %q", said, heard)
		}
	})
}
