package process

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

// Console passes a machine's console on, line by line, and keeps its end for
// error messages. It is safe for concurrent use.
type Console struct {
	mu   sync.Mutex
	to   io.Writer // nil for nowhere
	part []byte    // a line not yet ended
	tail []string
}

// tailLines is how much of a console an error shows.
const tailLines = 12

// Write never fails: a console that cannot be stored must not stop a machine.
func (c *Console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.part = append(c.part, p...)
	for {
		i := bytes.IndexByte(c.part, '\n')
		if i < 0 {
			return len(p), nil
		}
		c.line(string(c.part[:i]))
		c.part = c.part[i+1:]
	}
}

func (c *Console) line(s string) {
	s = strings.TrimRight(s, "\r")
	if c.to != nil {
		io.WriteString(c.to, s+"\n")
	}
	c.tail = append(c.tail, s)
	if len(c.tail) > tailLines {
		c.tail = c.tail[1:]
	}
}

// last returns the console's last lines, a begun one included.
func (c *Console) last() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.part) > 0 {
		c.line(string(c.part))
		c.part = nil
	}
	return strings.Join(c.tail, "\n")
}
