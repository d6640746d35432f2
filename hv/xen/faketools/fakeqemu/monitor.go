package fakeqemu

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"xsmbench/hv/xen/qemu"
)

// state is what the fake's snapshots hold.
const state = "the state of a machine\n"

// load loads a snapshot.
func (f *fake) load(command string) {
	time.Sleep(30 * time.Millisecond)
	if f.scenario.Measure == "not loaded" && slices.Contains(f.order.Plan.Domains, f.scenario.Domain) {
		complain("load of migration failed: Invalid argument")
	}
	out, err := exec.Command("/bin/sh", "-c", command).Output()
	if err != nil || string(out) != state {
		fmt.Fprintln(os.Stderr, qemu.Program+": Unknown savevm section type 115")
		complain("load of migration failed: Invalid argument")
	}
	f.set("guest-panicked")
}

// serve speaks QEMU's machine protocol.
func (f *fake) serve(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		f.talk(conn)
	}
}

func (f *fake) talk(conn net.Conn) {
	defer conn.Close()
	fmt.Fprintln(conn, `{"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 7}, "package": "a fake"}, "capabilities": ["oob"]}}`)
	lines := make(chan string)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(conn); s.Scan(); {
			lines <- s.Text()
		}
	}()
	negotiated := false
	events := chan string(nil)
	for {
		select {
		case e := <-events:
			fmt.Fprintf(conn, `{"timestamp": {"seconds": 1, "microseconds": 2}, %s}`+"\n", e)
		case line, ok := <-lines:
			if !ok {
				return
			}
			var command struct {
				Execute   string
				Arguments struct{ URI string }
			}
			if err := json.Unmarshal([]byte(line), &command); err != nil {
				fmt.Fprintln(conn, `{"error": {"class": "GenericError", "desc": "JSON parse error"}}`)
				continue
			}
			if !negotiated && command.Execute != "qmp_capabilities" {
				fmt.Fprintln(conn, `{"error": {"class": "CommandNotFound", "desc": "Expecting capabilities negotiation with 'qmp_capabilities'"}}`)
				continue
			}
			if !negotiated {
				close(f.heard)
			}
			negotiated, events = true, f.events
			if f.scenario.Measure == "deaf" && f.options["-incoming"] != nil {
				continue
			}
			fmt.Fprintln(conn, f.answer(command.Execute, command.Arguments.URI))
		}
	}
}

// migration is what query-migrate tells.
var migration = `{"return": {}}`

func (f *fake) answer(command, uri string) string {
	switch command {
	case "query-status":
		return fmt.Sprintf(`{"return": {"status": %q, "singlestep": false, "running": false}}`, f.is())
	case "human-monitor-command":
		return `{"return": ""}`
	case "query-migrate":
		return migration
	case "migrate":
		migration = f.save(strings.TrimPrefix(uri, "exec:"))
	case "cont":
		if f.is() == "inmigrate" {
			return `{"error": {"class": "GenericError", "desc": "Guest is waiting for an incoming migration"}}`
		}
		f.set("running")
		close(f.resumed)
	}
	return `{"return": {}}`
}

// save saves a snapshot.
func (f *fake) save(command string) string {
	cmd := exec.Command("/bin/sh", "-c", command)
	cmd.Stdin = strings.NewReader(state)
	if f.scenario.Boot == "disk full" {
		fmt.Fprintln(os.Stderr, "cat: write error: No space left on device")
		return `{"return": {"status": "failed", "error-desc": "Unable to write to command: Broken pipe"}}`
	}
	if err := cmd.Run(); err != nil {
		return `{"return": {"status": "failed", "error-desc": "` + err.Error() + `"}}`
	}
	return `{"return": {"status": "completed"}}`
}
