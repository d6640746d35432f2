package process

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

func TestConsole(t *testing.T) {
	var to bytes.Buffer
	c := &Console{to: &to}
	io.WriteString(c, "one\r\ntw")
	io.WriteString(c, "o\nthr")
	if got := to.String(); got != "one\ntwo\n" {
		t.Errorf("passed on %q", got)
	}
	if got := c.last(); got != "one\ntwo\nthr" {
		t.Errorf("end %q", got)
	}
	for range 100 {
		io.WriteString(c, "x\n")
	}
	if got := strings.Count(c.last(), "\n") + 1; got != tailLines {
		t.Errorf("%d lines, want %d", got, tailLines)
	}
}
