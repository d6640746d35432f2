package main

import (
	"bytes"
	"io"
	"sync"
)

// consoleTail passes the console on, and remembers the last denial that the
// security module printed. Several domains' processors print.
type consoleTail struct {
	mu     sync.Mutex
	to     io.Writer
	mark   string // before what a denial is, "" if none is told
	line   []byte // not yet complete
	denial string // "" if there was none
}

func (c *consoleTail) write(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.to.Write(b)
	c.line = append(c.line, b...)
	for {
		line, rest, ok := bytes.Cut(c.line, []byte("\n"))
		if !ok {
			return
		}
		if _, denial, ok := bytes.Cut(line, []byte(c.mark)); ok && c.mark != "" {
			c.denial = "denied" + string(denial)
		}
		c.line = append(c.line[:0], rest...)
	}
}

// lastDenial is the last denial that was printed, "" if there was none.
func (c *consoleTail) lastDenial() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.denial
}
