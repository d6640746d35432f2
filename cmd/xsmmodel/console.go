package main

import (
	"io"
	"sync"
)

// consoleTail passes the console on. Several domains' processors print.
type consoleTail struct {
	mu sync.Mutex
	to io.Writer
}

func (c *consoleTail) write(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.to.Write(b)
}
