package qemu

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fake serves a monitor that answers each command with the next of its
// scripted lines; a script that ends closes the connection.
func fake(t *testing.T, script map[string][]string) string {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "qmp")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprintln(conn, `{"QMP": {"version": {}}}`)
		lines := bufio.NewScanner(conn)
		for lines.Scan() {
			var command struct{ Execute string }
			if json.Unmarshal(lines.Bytes(), &command) != nil {
				return
			}
			answers := script[command.Execute]
			if len(answers) == 0 {
				return
			}
			script[command.Execute] = answers[1:]
			fmt.Fprintln(conn, answers[0])
		}
	}()
	return socket
}

func TestSave(t *testing.T) {
	const ok = `{"return": {}}`
	tests := []struct {
		name   string
		script map[string][]string
		err    string
	}{
		{"completed", map[string][]string{"qmp_capabilities": {ok}, "migrate": {`{"event": "STOP"}` + "\n" + ok},
			"query-migrate": {`{"return": {"status": "active"}}`, `{"return": {"status": "completed"}}`}}, ""},
		{"refused", map[string][]string{"qmp_capabilities": {ok}, "migrate": {`{"error": {"class": "X", "desc": "no room"}}`}}, "no room"},
		{"failed", map[string][]string{"qmp_capabilities": {ok}, "migrate": {ok},
			"query-migrate": {`{"return": {"status": "failed", "error-desc": "disk full"}}`}}, "disk full"},
		{"QEMU died", map[string][]string{"qmp_capabilities": {ok}, "migrate": {ok}}, "the connection was closed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			m, err := Dial(ctx, fake(t, tt.script))
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			err = m.Save(ctx, "/snapshots/x")
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
		})
	}
}

func TestDialNobody(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	if _, err := Dial(ctx, filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "monitor") {
		t.Errorf("error %v", err)
	}
}
