package xenstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// message is one message of the protocol, in either direction.
type message struct {
	kind, request uint32
	body          string
}

func (m message) bytes() []byte {
	b := make([]byte, 16, 16+len(m.body))
	le := binary.LittleEndian
	le.PutUint32(b, m.kind)
	le.PutUint32(b[4:], m.request)
	le.PutUint32(b[12:], uint32(len(m.body)))
	return append(b, m.body...)
}

// announced is a message whose header promises another length.
func announced(m message, length uint32) []byte {
	b := m.bytes()
	binary.LittleEndian.PutUint32(b[12:], length)
	return b
}

func event(path, token string) message {
	return message{kind: typeWatchEvent, body: path + "\x00" + token + "\x00"}
}

// daemon answers each request with what answer makes of it, and closes the
// connection when that is nil. It keeps the requests.
func daemon(t *testing.T, answer func(message) []byte) (*Client, func() []message) {
	t.Helper()
	ours, theirs := net.Pipe()
	var got []message
	done := make(chan struct{})
	// A pipe holds nothing, and a daemon does not wait for its client to read.
	replies := make(chan []byte, 64)
	go func() {
		defer theirs.Close()
		for reply := range replies {
			if _, err := theirs.Write(reply); err != nil {
				return
			}
		}
	}()
	go func() {
		defer close(done)
		defer close(replies)
		for {
			var header [16]byte
			if _, err := io.ReadFull(theirs, header[:]); err != nil {
				return
			}
			le := binary.LittleEndian
			body := make([]byte, le.Uint32(header[12:]))
			if _, err := io.ReadFull(theirs, body); err != nil {
				return
			}
			m := message{le.Uint32(header[:]), le.Uint32(header[4:]), string(body)}
			got = append(got, m)
			reply := answer(m)
			if reply == nil {
				return
			}
			replies <- reply
		}
	}()
	if err := ours.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ours.Close() })
	return New(ours), func() []message {
		ours.Close()
		<-done
		return got
	}
}

// ok answers a request.
func ok(m message, body string) []byte { return message{m.kind, m.request, body}.bytes() }

func TestRequests(t *testing.T) {
	tests := []struct {
		name string
		do   func(*Client) error
		want message
	}{
		{"read", func(c *Client) error { _, err := c.Read("data/x"); return err }, message{typeRead, 1, "data/x\x00"}},
		{"write", func(c *Client) error { return c.Write("data/x", "a\x00b") }, message{typeWrite, 1, "data/x\x00a\x00b"}},
		{"write nothing", func(c *Client) error { return c.Write("data/x", "") }, message{typeWrite, 1, "data/x\x00"}},
		{"list", func(c *Client) error { _, err := c.List("/local"); return err }, message{typeDirectory, 1, "/local\x00"}},
		{"permissions", func(c *Client) error { return c.SetPermissions("/x", "n0", "b1") }, message{typeSetPerms, 1, "/x\x00n0\x00b1\x00"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, requests := daemon(t, func(m message) []byte { return ok(m, "OK\x00") })
			if err := tt.do(c); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff([]message{tt.want}, requests(), cmp.AllowUnexported(message{})); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestList: names are separated by zeros; a path with nothing below it has none.
func TestList(t *testing.T) {
	for body, want := range map[string][]string{"": nil, "0\x00": {"0"}, "0\x0012\x00": {"0", "12"}} {
		c, _ := daemon(t, func(m message) []byte { return ok(m, body) })
		if got, err := c.List("/local/domain"); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v", body, got, err)
		}
	}
}

func TestRead(t *testing.T) {
	tests := []struct {
		name   string
		answer func(message) []byte
		want   string
		err    string
	}{
		{"value", func(m message) []byte { return ok(m, "12") }, "12", ""},
		{"empty", func(m message) []byte { return ok(m, "") }, "", ""},
		{"the longest", func(m message) []byte { return ok(m, strings.Repeat("x", MaxPayload)) }, strings.Repeat("x", MaxPayload), ""},
		{"after events", func(m message) []byte {
			return append(append(event("a", "t").bytes(), event("b", "u").bytes()...), ok(m, "12")...)
		}, "12", ""},
		{"refused", func(m message) []byte { return message{typeError, m.request, "EACCES\x00"}.bytes() }, "", "xenstore: read data/x: EACCES"},
		{"other request", func(m message) []byte { return message{m.kind, 7, "12"}.bytes() }, "", "answer to request 7, not 1"},
		{"too long", func(m message) []byte { return announced(message{m.kind, m.request, ""}, MaxPayload+1) }, "", "a message of 4097 bytes"},
		{"far too long", func(m message) []byte { return announced(message{m.kind, m.request, ""}, 1<<32-1) }, "", "a message of 4294967295 bytes"},
		{"no answer", func(message) []byte { return nil }, "", "EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := daemon(t, tt.answer)
			got, err := c.Read("data/x")
			if got != tt.want {
				t.Errorf("read %q, want %q", got, tt.want)
			}
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
		})
	}
}

func TestMissing(t *testing.T) {
	c, _ := daemon(t, func(m message) []byte { return message{typeError, m.request, "ENOENT\x00"}.bytes() })
	_, err := c.Read("none")
	if !Missing(err) {
		t.Errorf("error %v is not recognised", err)
	}
	if Missing(nil) || Missing(io.EOF) || Missing(&Error{Name: "EACCES"}) {
		t.Error("another error is taken for a path that is missing")
	}
}

// TestTooLong checks that what no message holds is not sent at all.
func TestTooLong(t *testing.T) {
	c, requests := daemon(t, func(m message) []byte { return ok(m, "") })
	if err := c.Write("x", strings.Repeat("v", MaxPayload-1)); err == nil || !strings.Contains(err.Error(), "4097 bytes") {
		t.Errorf("error %v", err)
	}
	if err := c.Write("x", strings.Repeat("v", MaxPayload-2)); err != nil {
		t.Errorf("the longest message: %v", err)
	}
	if n := len(requests()); n != 1 {
		t.Errorf("%d requests were sent, want 1", n)
	}
}

// cutOff is a stream that ends after some bytes; what is written is lost.
type cutOff struct{ io.Reader }

func (cutOff) Write(b []byte) (int, error) { return len(b), nil }

func TestCutOff(t *testing.T) {
	whole := message{typeRead, 1, "value"}.bytes()
	for n := range len(whole) {
		_, err := New(cutOff{bytes.NewReader(whole[:n])}).Read("x")
		want := io.ErrUnexpectedEOF
		if n == 0 || n == 16 { // between two reads
			want = io.EOF
		}
		if !errors.Is(err, want) {
			t.Errorf("%d bytes: error %v, want %v", n, err, want)
		}
	}
}

// store is a daemon with one path, which gets its value when it was read a
// number of times without. Its events come where a real daemon's may.
type store struct {
	reads int // that find nothing
	watch string
}

func (s *store) answer(m message) []byte {
	switch m.kind {
	case typeWatch:
		s.watch = strings.Split(m.body, "\x00")[1]
		// A watch fires once when it is set, and a daemon may be quicker
		// with the event than with its answer.
		return append(event("x", s.watch).bytes(), ok(m, "OK\x00")...)
	case typeUnwatch:
		return append(event("x", s.watch).bytes(), ok(m, "OK\x00")...)
	case typeRead:
		if s.reads--; s.reads >= 0 {
			missing := message{typeError, m.request, "ENOENT\x00"}.bytes()
			other := event("y", "await y").bytes()
			return append(append(missing, other...), event("x", s.watch).bytes()...)
		}
		return append(event("y", "await y").bytes(), ok(m, "value")...)
	}
	return nil
}

func TestAwait(t *testing.T) {
	for _, reads := range []int{0, 1, 5} {
		s := &store{reads: reads}
		c, requests := daemon(t, s.answer)
		got, err := c.Await("x")
		if err != nil || got != "value" {
			t.Errorf("%d reads without a value: %q, %v", reads, got, err)
		}
		if c.fired["await x"] {
			t.Error("an event of a watch that is gone is kept")
		}
		all := requests()
		if n := len(all); n != reads+3 || all[n-1].kind != typeUnwatch {
			t.Errorf("%d reads without a value: requests %v", reads, all)
		}
	}
}

func TestAwaitFails(t *testing.T) {
	tests := []struct {
		name string
		fail uint32 // kind of request that is answered otherwise
		with func(message) []byte
		err  string
	}{
		{"watch refused", typeWatch, func(m message) []byte { return message{typeError, m.request, "EINVAL\x00"}.bytes() }, "watch x: EINVAL"},
		{"read refused", typeRead, func(m message) []byte { return message{typeError, m.request, "EACCES\x00"}.bytes() }, "read x: EACCES"},
		{"gone while reading", typeRead, func(message) []byte { return nil }, "read x: EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &store{}
			c, _ := daemon(t, func(m message) []byte {
				if m.kind == tt.fail {
					return tt.with(m)
				}
				return s.answer(m)
			})
			if _, err := c.Await("x"); err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
		})
	}
}

// TestAwaitCutOff ends the stream in the middle of the event that is waited
// for.
func TestAwaitCutOff(t *testing.T) {
	stream := slices.Concat(
		message{typeWatch, 1, "OK\x00"}.bytes(),
		message{typeError, 2, "ENOENT\x00"}.bytes(),
		event("x", "await x").bytes()[:20],
	)
	_, err := New(cutOff{bytes.NewReader(stream)}).Await("x")
	if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "wait for a change") {
		t.Errorf("error %v", err)
	}
}

// FuzzReceive feeds a client anything. What it makes of a message cannot be
// longer than what a message may hold.
func FuzzReceive(f *testing.F) {
	f.Add(message{typeRead, 1, "value"}.bytes())
	f.Add(append(event("x", "t").bytes(), message{typeError, 1, "ENOENT\x00"}.bytes()...))
	f.Add(announced(message{typeRead, 1, ""}, 1<<32-1))
	f.Add(message{kind: typeWatchEvent, body: "no token"}.bytes())
	f.Fuzz(func(t *testing.T, stream []byte) {
		c := New(cutOff{bytes.NewReader(stream)})
		if v, err := c.Read("x"); err == nil && len(v) > MaxPayload {
			t.Errorf("a value of %d bytes", len(v))
		}
		r := New(cutOff{bytes.NewReader(stream)})
		for {
			_, _, body, err := r.receive()
			if len(body) > MaxPayload || len(body) > 0 && err == nil && len(body) > len(stream) {
				t.Errorf("a message of %d bytes", len(body))
			}
			if err != nil {
				return
			}
		}
	})
}
