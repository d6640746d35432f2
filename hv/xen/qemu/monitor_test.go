package qemu

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
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
			"query-migrate": {`{"return": {"status": "failed", "error-desc": "Unable to write to command: No space left on device"}}`}}, "save snapshot /snapshots/x: failed Unable to write to command: No space left on device"},
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

func TestResume(t *testing.T) {
	const ok, inmigrate, paused = `{"return": {}}`, `{"return": {"status": "inmigrate"}}`, `{"return": {"status": "paused"}}`
	tests := []struct {
		name   string
		script map[string][]string
		err    string
	}{
		{"once it is loaded", map[string][]string{"query-status": {inmigrate, `{"event": "RESUME"}` + "\n" + inmigrate, paused}, "cont": {ok}}, ""},
		{"stopped by a panic", map[string][]string{"query-status": {`{"return": {"status": "guest-panicked"}}`}, "cont": {ok}}, ""},
		{"refused", map[string][]string{"query-status": {paused}, "cont": {`{"error": {"class": "GenericError", "desc": "Resetting the Virtual Machine is required"}}`}}, "Resetting"},
		{"damaged snapshot", map[string][]string{"query-status": {inmigrate}}, "the connection was closed"},
		{"damaged answer", map[string][]string{"query-status": {`{"return": []}`}}, "unmarshal"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			tt.script["qmp_capabilities"] = []string{ok}
			m, err := Dial(ctx, fake(t, tt.script))
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			err = m.Resume(ctx)
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
			if tt.err == "" && len(tt.script["cont"]) != 0 {
				t.Error("the machine was not told to go on")
			}
		})
	}
}

// TestCancelled interrupts waits that would never end.
func TestCancelled(t *testing.T) {
	cause := errors.New("enough")
	const ok = `{"return": {}}`
	endless := func(answer string) []string { return slices.Repeat([]string{answer}, 10000) }
	for name, wait := range map[string]func(context.Context, *Monitor) error{
		"resume": func(ctx context.Context, m *Monitor) error { return m.Resume(ctx) },
		"save":   func(ctx context.Context, m *Monitor) error { return m.Save(ctx, "/x") },
	} {
		t.Run(name, func(t *testing.T) {
			m, err := Dial(context.Background(), fake(t, map[string][]string{
				"qmp_capabilities": {ok}, "migrate": {ok},
				"query-status":  endless(`{"return": {"status": "inmigrate"}}`),
				"query-migrate": endless(`{"return": {"status": "active"}}`),
			}))
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			ctx, cancel := context.WithCancelCause(context.Background())
			time.AfterFunc(50*time.Millisecond, func() { cancel(cause) })
			if err := wait(ctx, m); !errors.Is(err, cause) {
				t.Errorf("error %v, want %v", err, cause)
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

func TestBegin(t *testing.T) {
	const ok, none = `{"return": {}}`, `{"return": ""}`
	for _, tt := range []struct {
		name   string
		script map[string][]string
		err    string
	}{
		{"goes on", map[string][]string{"human-monitor-command": {none, none, none}, "cont": {ok}}, ""},
		{"unknown command", map[string][]string{"human-monitor-command": {`{"return": "unknown command: 'o/b'\r\n"}`}}, "set the machine's clock: o/b 0x70 0x0a: unknown command: 'o/b'"},
		{"cannot go on", map[string][]string{"human-monitor-command": {none, none, none}, "cont": {`{"error": {"class": "X", "desc": "it is broken"}}`}}, "cont: it is broken"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			tt.script["qmp_capabilities"] = []string{ok}
			m, err := Dial(ctx, fake(t, tt.script))
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			err = m.Begin(ctx)
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
		})
	}
}
