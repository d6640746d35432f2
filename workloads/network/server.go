package network

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
)

// Port is where the server listens.
const Port = 7007

// Requests begin with a kind and a number. On one connection they follow each other.
const (
	kindTake  = 't' // the number is how many bytes follow; the answer is their count and sum
	kindGive  = 'g' // the answer is so many bytes
	kindServe = 's' // so many bytes follow, as a request; the answer is a page made of them
)

// headerSize is the length of what a request begins with: the kind, and the number in
// eight bytes.
const headerSize = 9

func header(b []byte, kind byte, n int64) {
	b[0] = kind
	binary.LittleEndian.PutUint64(b[1:], uint64(n))
}

// most is more than any request asks for, bytes.
const most = 16 << 20

// pieces are what bulk data is moved in.
const pieces = 64 << 10

// Sizes of a request and its answer, in bytes.
const (
	RequestSize = 128
	PageSize    = 4 << 10
)

// page is what is served for a request: it depends on all of its bytes.
func page(b []byte, request []byte) {
	s := sum(0, request)
	for i := 0; i < len(b); i += 8 {
		binary.LittleEndian.PutUint64(b[i:], s+uint64(i))
	}
}

// given fills a piece of what the server gives; at is where it lies in the whole, a
// multiple of 8.
func given(b []byte, at int64) {
	for i := 0; i+8 <= len(b); i += 8 {
		binary.LittleEndian.PutUint64(b[i:], uint64(at)+uint64(i))
	}
}

// sum adds bytes to a checksum, in which their order counts. Lengths are multiples of
// 8.
func sum(s uint64, b []byte) uint64 {
	for ; len(b) >= 8; b = b[8:] {
		s = s*31 + binary.LittleEndian.Uint64(b)
	}
	return s
}

// Serve answers on a listener until it fails.
func Serve(l net.Listener) error {
	for {
		conn, err := l.Accept()
		if err != nil {
			return fmt.Errorf("serve: %w", err)
		}
		go func() {
			defer conn.Close()
			_ = answer(conn) // the client sees it
		}()
	}
}

// answer answers requests until the client closes the connection.
func answer(conn io.ReadWriter) error {
	buffer := make([]byte, pieces)
	var head [headerSize]byte
	for {
		if _, err := io.ReadFull(conn, head[:]); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		n := int64(binary.LittleEndian.Uint64(head[1:]))
		if n < 0 || n > most || n%8 != 0 {
			return fmt.Errorf("a request of %d bytes", n)
		}
		if err := one(conn, head[0], n, buffer); err != nil {
			return err
		}
	}
}

// one answers a request.
func one(conn io.ReadWriter, kind byte, n int64, buffer []byte) error {
	switch kind {
	case kindTake:
		s, err := take(conn, n, buffer)
		if err != nil {
			return err
		}
		var receipt [receiptSize]byte
		binary.LittleEndian.PutUint64(receipt[:], uint64(n))
		binary.LittleEndian.PutUint64(receipt[8:], s)
		_, err = conn.Write(receipt[:])
		return err
	case kindGive:
		for at := int64(0); at < n; {
			b := buffer[:min(n-at, pieces)]
			given(b, at)
			if _, err := conn.Write(b); err != nil {
				return err
			}
			at += int64(len(b))
		}
		return nil
	case kindServe:
		if n > pieces-PageSize {
			return fmt.Errorf("a request of %d bytes", n)
		}
		request, answer := buffer[:n], buffer[n:][:PageSize]
		if _, err := io.ReadFull(conn, request); err != nil {
			return err
		}
		page(answer, request)
		_, err := conn.Write(answer)
		return err
	}
	return fmt.Errorf("a request of the kind %q", kind)
}

// receiptSize is the length of the answer to what was taken: count and sum.
const receiptSize = 16

func take(conn io.Reader, n int64, buffer []byte) (uint64, error) {
	s := uint64(0)
	for n > 0 {
		b := buffer[:min(n, pieces)]
		if _, err := io.ReadFull(conn, b); err != nil {
			return 0, err
		}
		s = sum(s, b)
		n -= int64(len(b))
	}
	return s, nil
}
