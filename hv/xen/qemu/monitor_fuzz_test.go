package qemu

import (
	"bufio"
	"context"
	"net"
	"testing"
	"time"
)

// FuzzMonitor connects to what says anything: commands end with an answer or an
// error, and the reader with the connection.
func FuzzMonitor(f *testing.F) {
	f.Add([]byte("{\"QMP\": {}}\n{\"return\": {}}\n{\"event\": \"STOP\"}\n{\"return\": {\"status\": \"running\"}}\n"))
	f.Add([]byte("{\"return\": {}}\n{\"error\": {\"desc\": \"no\"}}\n"))
	f.Add([]byte("{\"return\": {}}\n{\"return\": 5}\n{\"return\": null}\n{\"return\": {}}\n"))
	f.Add([]byte("\xff\x00{\"return\"\n"))
	f.Fuzz(func(t *testing.T, says []byte) {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			// It answers whatever it is asked, and hears the two commands.
			lines := bufio.NewScanner(theirs)
			lines.Scan()
			go lines.Scan()
			theirs.Write(says)
		}()
		m, err := negotiate(ctx, ours)
		if err == nil {
			var status struct {
				Status string `json:"status"`
			}
			_ = m.Do(ctx, "query-status", nil, &status)
			m.Close()
			for range m.Events {
			}
		}
		if ctx.Err() != nil {
			t.Error("a command or the reader did not end")
		}
	})
}
