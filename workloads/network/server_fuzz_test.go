package network

import (
	"bytes"
	"io"
	"testing"
)

// talk is a client that has said all that it will.
type talk struct {
	io.Reader
	answered int
}

func (t *talk) Write(b []byte) (int, error) { t.answered += len(b); return len(b), nil }

// FuzzAnswer: whatever a client sends, the server ends, and answers no more than it was
// asked for.
func FuzzAnswer(f *testing.F) {
	ask := func(kind byte, n int64, body string) []byte {
		b := make([]byte, headerSize)
		header(b, kind, n)
		return append(b, body...)
	}
	f.Add(ask(kindTake, 8, "abcdefgh"))
	f.Add(ask(kindGive, 128<<10, ""))
	f.Add(append(ask(kindServe, 16, "abcdefghijklmnop"), ask(kindTake, 0, "")...))
	f.Add(ask(kindServe, -1, ""))
	f.Add(ask('x', 8, ""))
	f.Fuzz(func(t *testing.T, sent []byte) {
		c := &talk{Reader: bytes.NewReader(sent)}
		if err := answer(c); err == nil && len(sent) > 0 && c.answered == 0 && len(sent) >= headerSize && sent[0] != kindGive {
			t.Errorf("%q: ended well without an answer", sent)
		}
	})
}
