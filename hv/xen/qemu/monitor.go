package qemu

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"al.essio.dev/pkg/shellescape"
)

// Monitor is QEMU's control channel (the QEMU Machine Protocol).
type Monitor struct {
	conn    net.Conn
	replies chan reply
	Events  chan string // names of events; closed when the channel is
	closed  chan struct{}
	once    sync.Once // closes closed
}

// reply is one message of QEMU's.
type reply struct {
	Return json.RawMessage `json:"return"`
	Error  *struct {
		Class string `json:"class"`
		Desc  string `json:"desc"`
	} `json:"error"`
	Event string `json:"event"`
}

// Dial connects to the socket of a machine that is being started, waiting for
// it to appear until ctx is done.
func Dial(ctx context.Context, socket string) (*Monitor, error) {
	for {
		conn, err := dialSocket(ctx, socket)
		if err == nil {
			return negotiate(ctx, conn)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("connect to QEMU's monitor: %w (last: %v)", context.Cause(ctx), err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// negotiate leaves the protocol's greeting behind.
func negotiate(ctx context.Context, conn net.Conn) (*Monitor, error) {
	m := &Monitor{conn: conn, replies: make(chan reply, 1), Events: make(chan string, 64), closed: make(chan struct{})}
	go m.read()
	if err := m.Do(ctx, "qmp_capabilities", nil, nil); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// read sorts messages into replies and events until the connection ends.
func (m *Monitor) read() {
	defer close(m.replies)
	defer close(m.Events)
	lines := bufio.NewScanner(m.conn)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r reply
		if json.Unmarshal(lines.Bytes(), &r) != nil {
			continue
		}
		switch {
		case r.Event != "":
			select {
			case m.Events <- r.Event:
			default: // nobody listens: an event is no promise
			}
		case r.Return != nil || r.Error != nil:
			select {
			case m.replies <- r:
			case <-m.closed: // an answer to nothing that anybody asked
				return
			}
		}
	}
}

// Do executes a command and unmarshals what it returns into result, which may
// be nil. Commands do not overlap.
func (m *Monitor) Do(ctx context.Context, command string, arguments, result any) error {
	message := map[string]any{"execute": command}
	if arguments != nil {
		message["arguments"] = arguments
	}
	text, err := json.Marshal(message)
	if err != nil {
		return fmt.Errorf("QEMU monitor %s: %w", command, err)
	}
	if _, err := m.conn.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("QEMU monitor %s: %w", command, err)
	}
	select {
	case <-ctx.Done():
		return fmt.Errorf("QEMU monitor %s: %w", command, context.Cause(ctx))
	case r, ok := <-m.replies:
		switch {
		case !ok:
			return fmt.Errorf("QEMU monitor %s: the connection was closed", command)
		case r.Error != nil:
			return fmt.Errorf("QEMU monitor %s: %s", command, r.Error.Desc)
		case result == nil:
			return nil
		}
		return json.Unmarshal(r.Return, result)
	}
}

// halfSecond are commands that write to the ports of a machine's clock: it is
// stopped by its divider, and let go. The next second then is half of one away
// (hw/rtc/mc146818rtc.c, cmos_ioport_write).
var halfSecond = []string{"o/b 0x70 0x0a", "o/b 0x71 0x70", "o/b 0x71 0x26"}

// Begin lets a machine go on that was started Paused. Xen waits, early, for its
// clock's next second (get_cmos_time in arch/x86/time.c), by reading the time some
// hundred million times: the second begins half over.
func (m *Monitor) Begin(ctx context.Context) error {
	for _, line := range halfSecond {
		var said string
		err := m.Do(ctx, "human-monitor-command", map[string]string{"command-line": line}, &said)
		if err == nil && said != "" {
			err = fmt.Errorf("%s: %s", line, strings.TrimSpace(said))
		}
		if err != nil {
			return fmt.Errorf("set the machine's clock: %w", err)
		}
	}
	return m.Do(ctx, "cont", nil, nil)
}

// Save writes the state of a stopped machine to a file.
func (m *Monitor) Save(ctx context.Context, path string) error {
	uri := map[string]string{"uri": "exec:cat > " + shellescape.Quote(path)}
	if err := m.Do(ctx, "migrate", uri, nil); err != nil {
		return fmt.Errorf("save snapshot: %w", err)
	}
	for {
		var status struct {
			Status string `json:"status"`
			Desc   string `json:"error-desc"`
		}
		if err := m.Do(ctx, "query-migrate", nil, &status); err != nil {
			return fmt.Errorf("save snapshot: %w", err)
		}
		switch status.Status {
		case "completed":
			return nil
		case "failed", "cancelled":
			return fmt.Errorf("save snapshot %s: %s %s", path, status.Status, status.Desc)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("save snapshot: %w", context.Cause(ctx))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Resume waits until a machine has loaded its snapshot, and lets it go on.
func (m *Monitor) Resume(ctx context.Context) error {
	for {
		var status struct {
			Status string `json:"status"`
		}
		if err := m.Do(ctx, "query-status", nil, &status); err != nil {
			return fmt.Errorf("resume snapshot: %w", err)
		}
		if status.Status != "inmigrate" {
			break
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("resume snapshot: %w", context.Cause(ctx))
		case <-time.After(10 * time.Millisecond):
		}
	}
	if err := m.Do(ctx, "cont", nil, nil); err != nil {
		return fmt.Errorf("resume snapshot: %w", err)
	}
	return nil
}

// Close ends the connection; the machine goes on.
func (m *Monitor) Close() error {
	m.once.Do(func() { close(m.closed) })
	return m.conn.Close()
}
