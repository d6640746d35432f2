package history

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
)

// pack compresses a value; gzip's trailer is its checksum.
func pack(text []byte) ([]byte, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// unpack is pack's inverse. It fails on anything but exactly one stream whose
// checksum is right.
func unpack(value []byte) ([]byte, error) {
	in := bytes.NewReader(value)
	r, err := gzip.NewReader(in)
	if err != nil {
		return nil, err
	}
	r.Multistream(false)
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if in.Len() > 0 {
		return nil, fmt.Errorf("%d bytes too many", in.Len())
	}
	return text, nil
}
