// Package xenstore is a client of xenstore, by which the domains of one Xen
// agree on what neither can know alone (docs/misc/xenstore.txt and
// public/io/xs_wire.h in Xen's source). It speaks the protocol over a stream:
// the daemon's socket in dom0, /dev/xen/xenbus elsewhere.
package xenstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Types of messages (enum xsd_sockmsg_type).
const (
	typeDirectory  = 1
	typeRead       = 2
	typeWatch      = 4
	typeUnwatch    = 5
	typeWrite      = 11
	typeSetPerms   = 14
	typeWatchEvent = 15
	typeError      = 16
)

// MaxPayload is the longest content of a message, in bytes
// (XENSTORE_PAYLOAD_MAX).
const MaxPayload = 4096

// Error is what the daemon answered instead of doing what it was asked.
type Error struct {
	Op, Path string
	Name     string // "ENOENT", "EACCES", …
}

// Error names the operation, the path and the daemon's answer.
func (e *Error) Error() string { return fmt.Sprintf("xenstore: %s %s: %s", e.Op, e.Path, e.Name) }

// Missing reports whether err says that a path does not exist.
func Missing(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Name == "ENOENT"
}

// Client is a connection. It is used by one goroutine.
type Client struct {
	stream  io.ReadWriter
	request uint32
	fired   map[string]bool // watches whose event came during another wait
}

// New returns a client on a stream.
func New(stream io.ReadWriter) *Client { return &Client{stream: stream, fired: map[string]bool{}} }

// Read returns a path's value. Paths without a leading slash are relative to
// the domain's own directory.
func (c *Client) Read(path string) (string, error) {
	return c.do("read", typeRead, path, path+"\x00")
}

// Write sets a path's value and makes its parents.
func (c *Client) Write(path, value string) error {
	_, err := c.do("write", typeWrite, path, path+"\x00"+value)
	return err
}

// List returns the names below a path.
func (c *Client) List(path string) ([]string, error) {
	answer, err := c.do("list", typeDirectory, path, path+"\x00")
	if err != nil || answer == "" {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(answer, "\x00"), "\x00"), nil
}

// SetPermissions sets who may do what with a path: the first word names the
// owner and what others may do, further words what single domains may, as
// "n0" and "b1" (none, both).
func (c *Client) SetPermissions(path string, perms ...string) error {
	_, err := c.do("set permissions of", typeSetPerms, path, path+"\x00"+strings.Join(perms, "\x00")+"\x00")
	return err
}

// Await waits until a path has a value that is not empty, and returns it.
func (c *Client) Await(path string) (string, error) {
	token := "await " + path
	if _, err := c.do("watch", typeWatch, path, path+"\x00"+token+"\x00"); err != nil {
		return "", err
	}
	for {
		value, err := c.Read(path)
		if err != nil && !Missing(err) {
			return "", err
		}
		if value != "" {
			_, err := c.do("unwatch", typeUnwatch, path, path+"\x00"+token+"\x00")
			delete(c.fired, token)
			return value, err
		}
		if err := c.waitFor(token); err != nil {
			return "", err
		}
	}
}

// waitFor blocks until a watch fires.
func (c *Client) waitFor(token string) error {
	for !c.fired[token] {
		kind, _, body, err := c.receive()
		if err != nil {
			return fmt.Errorf("xenstore: wait for a change: %w", err)
		}
		c.note(kind, body)
	}
	delete(c.fired, token)
	return nil
}

// note remembers a watch that fired.
func (c *Client) note(kind uint32, body []byte) {
	if kind != typeWatchEvent {
		return
	}
	if parts := bytes.Split(body, []byte{0}); len(parts) >= 2 {
		c.fired[string(parts[1])] = true
	}
}

// do sends a request and returns the answer's content.
func (c *Client) do(op string, kind uint32, path, body string) (string, error) {
	if len(body) > MaxPayload {
		return "", fmt.Errorf("xenstore: %s %s: %d bytes are more than a message holds", op, path, len(body))
	}
	c.request++
	message := make([]byte, 16, 16+len(body))
	le := binary.LittleEndian
	le.PutUint32(message, kind)
	le.PutUint32(message[4:], c.request)
	le.PutUint32(message[12:], uint32(len(body)))
	if _, err := c.stream.Write(append(message, body...)); err != nil {
		return "", fmt.Errorf("xenstore: %s %s: %w", op, path, err)
	}
	for {
		got, id, answer, err := c.receive()
		switch {
		case err != nil:
			return "", fmt.Errorf("xenstore: %s %s: %w", op, path, err)
		case got == typeWatchEvent:
			c.note(got, answer)
		case id != c.request:
			return "", fmt.Errorf("xenstore: %s %s: answer to request %d, not %d", op, path, id, c.request)
		case got == typeError:
			return "", &Error{op, path, strings.TrimRight(string(answer), "\x00")}
		default:
			return string(answer), nil
		}
	}
}

// receive reads one message.
func (c *Client) receive() (kind, request uint32, body []byte, err error) {
	var header [16]byte
	if _, err := io.ReadFull(c.stream, header[:]); err != nil {
		return 0, 0, nil, err
	}
	le := binary.LittleEndian
	length := le.Uint32(header[12:])
	if length > MaxPayload {
		return 0, 0, nil, fmt.Errorf("a message of %d bytes", length)
	}
	body = make([]byte, length)
	_, err = io.ReadFull(c.stream, body)
	return le.Uint32(header[:]), le.Uint32(header[4:]), body, err
}
