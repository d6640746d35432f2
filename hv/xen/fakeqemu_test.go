package xen

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"xsmbench/hv/count/mark"

	"xsmbench/bench"
	"xsmbench/bench/wire"
	"xsmbench/hv/xen/protocol"
	"xsmbench/hv/xen/qemu"
)

// TestMain is QEMU when it is called by QEMU's name, and puts that before the
// real one otherwise.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == qemu.Program {
		if err := play(os.Args[1:]); err != nil {
			complain("%v", err)
		}
		os.Exit(0)
	}
	if dir := os.Getenv(measureIn); dir != "" {
		measureAsChild(dir)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	dir, err := os.MkdirTemp("", "xsmbench-test-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	bin, cache, tmp := filepath.Join(dir, "bin"), filepath.Join(dir, "cache"), filepath.Join(dir, "tmp")
	for _, d := range []string{bin, cache, tmp} {
		if err := os.Mkdir(d, 0o755); err != nil {
			panic(err)
		}
	}
	if err := os.Symlink(self, filepath.Join(bin, qemu.Program)); err != nil {
		panic(err)
	}
	// Tests mostly wait, so that more than one for each processor may run.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	os.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	os.Setenv("XDG_CACHE_HOME", cache)
	os.Setenv("TMPDIR", tmp)
	return m.Run()
}

// scenario is what the fake QEMU plays; a file of it lies beside the image that
// it boots. Empty is well.
type scenario struct {
	Boot    string // on the way to the snapshot
	Measure string // in a machine with an order
	Domain  string // measuring in which goes wrong, "" for each
}

const (
	scenarioFile = "scenario"
	pidFile      = "pid" // of the QEMUs that ran the image, a line each
)

// consoleText is what the real Xen printed on the way to a snapshot.
//
//go:embed testdata/console
var consoleText string

// fake is a QEMU that plays.
type fake struct {
	options  map[string][]string
	scenario scenario
	order    protocol.Order
	console  *os.File
	flask    bool

	mu      sync.Mutex
	status  string // as query-status tells it
	events  chan string
	resumed chan struct{}
	heard   chan struct{} // closed when the monitor has a client
}

// complain prints as QEMU does and ends with its status.
func complain(format string, args ...any) {
	fmt.Fprintf(os.Stderr, qemu.Program+": "+format+"\n", args...)
	os.Exit(1)
}

// hang does nothing for ever. An empty select would be a deadlock, which the
// run-time system notices.
func hang() {
	for {
		time.Sleep(time.Hour)
	}
}

// play reads the command line and is that machine.
func play(args []string) error {
	if slices.Equal(args, []string{"--version"}) {
		fmt.Println("QEMU emulator version 7.2.0 (a fake)")
		return nil
	}
	f := &fake{options: map[string][]string{}, events: make(chan string, 8), resumed: make(chan struct{}), heard: make(chan struct{})}
	for i := 0; i < len(args); i++ {
		name := args[i]
		value := ""
		if i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
			i++
			value = args[i]
		}
		f.options[name] = append(f.options[name], value)
	}
	if err := f.prepare(); err != nil {
		return err
	}
	f.set("running")
	if f.options["-incoming"] != nil {
		f.set("inmigrate")
	}
	if f.scenario.Boot == "no monitor" {
		hang()
	}
	if qmp := f.options["-qmp"]; qmp != nil {
		path, _, _ := strings.Cut(strings.TrimPrefix(qmp[0], "unix:"), ",")
		listener, err := net.Listen("unix", path)
		if err != nil {
			return err
		}
		go f.serve(listener)
	}
	if incoming := f.options["-incoming"]; incoming != nil {
		f.load(strings.TrimPrefix(incoming[0], "exec:"))
		<-f.resumed
		return f.measure()
	}
	f.console.WriteString(consoleText)
	if f.options["-qmp"] != nil && f.scenario.Boot != "usage" {
		<-f.heard // a real boot takes longer than connecting does
	}
	f.fail(f.scenario.Boot, "")
	if f.order.Snapshot {
		f.set("guest-panicked")
		f.events <- `"event": "GUEST_PANICKED", "data": {"action": "pause"}`
		f.events <- `"event": "STOP"`
		hang()
	}
	return f.measure()
}

// prepare opens the machine's files and reads its scenario and its order.
func (f *fake) prepare() error {
	beside := filepath.Dir(f.options["-kernel"][0])
	text, err := os.ReadFile(filepath.Join(beside, scenarioFile))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &f.scenario); err != nil {
		return err
	}
	f.flask = filepath.Base(beside) == "flask"
	pids, err := os.OpenFile(filepath.Join(beside, pidFile), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	fmt.Fprintln(pids, os.Getpid())
	pids.Close()
	if f.console, err = os.Create(strings.TrimPrefix(f.options["-serial"][0], "file:")); err != nil {
		return err
	}
	_, order, ok := strings.Cut(f.options["-fw_cfg"][0], "name=opt/xsmbench/order,string=")
	if !ok {
		return errors.New("no order")
	}
	f.order, err = protocol.Decode(strings.ReplaceAll(order, ",,", ","))
	return err
}

func (f *fake) set(status string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.status = status
}

func (f *fake) is() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.status
}

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

// print prints a line on the console.
func (f *fake) print(line string) { fmt.Fprintln(f.console, line+"\r") }

// fail does what can go wrong at any time.
func (f *fake) fail(how, domain string) {
	if f.scenario.Domain != "" && domain != f.scenario.Domain {
		return
	}
	switch how {
	case "killed":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		hang()
	case "usage":
		complain("-machine foo: unsupported machine type")
	case "hang":
		hang()
	case "babble":
		for {
			f.print("still booting")
			time.Sleep(20 * time.Millisecond)
		}
	case "kernel panic":
		f.print("[    1.234567] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100")
		f.print("[    1.234568] Rebooting in 1 seconds..")
		os.Exit(0)
	case "xen panic":
		f.print("(XEN) ****************************************")
		f.print("(XEN) Panic on CPU 0:")
		f.print("(XEN) Assertion 'd != NULL' failed at hooks.c:42")
		f.print("(XEN) Reboot in five seconds...")
		os.Exit(0)
	case "agent gives up":
		f.print("xsmguest: run /usr/lib/xen-4.17/bin/xl create: exit status 1: out of memory")
		os.Exit(protocol.StatusFailed)
	case "agent gives up in silence":
		os.Exit(protocol.StatusFailed)
	}
}

// measure reports what an agent would, and what the plug-in would.
func (f *fake) measure() error {
	var stream bytes.Buffer
	windows := "a 0 1 0\na 1 1 1\n" + // in the handler, and in the hook that it calls
		"w dom9 0 1 1 1\n" // of a domain that the plan does not have
	for _, d := range f.order.Plan.Domains {
		before := stream.Len()
		if err := f.report(&stream, d); err != nil {
			return err
		}
		windows += f.windows(d)
		if err := f.results(stream.Bytes()[:(before+stream.Len())/2]); err != nil {
			return err
		}
		f.fail(f.scenario.Measure, d)
	}
	if err := f.results(f.garbled(stream.Bytes())); err != nil {
		return err
	}
	if plugin := f.options["-plugin"]; plugin != nil {
		_, out, _ := strings.Cut(plugin[0], ",out=")
		out, _, _ = strings.Cut(out, ",")
		if err := f.write(out, windows); err != nil {
			return err
		}
	}
	os.Exit(protocol.StatusDone)
	return nil
}

func (f *fake) results(b []byte) error {
	_, path, _ := strings.Cut(f.options["-chardev"][0], ",path=")
	return os.WriteFile(path, b, 0o644)
}

// write writes the file of windows, with what goes wrong there.
func (f *fake) write(path, windows string) error {
	switch f.scenario.Measure {
	case "no windows file":
		return nil
	case "windows cut off":
		return os.WriteFile(path, []byte(windows), 0o644)
	case "windows cut off in a line":
		windows = windows[:len(windows)-5]
	case "windows damaged":
		windows = strings.Replace(windows, " 1000 ", " 10\x0000 ", 1)
	case "windows of another table":
		windows += "w dom0 3 1 1 1 0:77:1:1\n"
	case "windows cannot be written":
		if err := os.WriteFile(path, []byte(windows[:len(windows)/2]), 0o644); err != nil {
			return err
		}
		fmt.Fprintln(os.Stderr, "window plug-in: cannot write the windows")
		os.Exit(1)
	}
	return os.WriteFile(path, []byte(windows+"end\n"), 0o644)
}

// report writes a domain's session.
func (f *fake) report(to *bytes.Buffer, domain string) error {
	out := wire.NewWriter(to)
	plan := f.order.Plan
	hash := plan.Hash()
	if f.plays("other plan", domain) {
		hash = "0123456789abcdef"
	}
	facts := protocol.Facts{Module: protocol.ModuleNone}
	if f.flask {
		facts = protocol.Facts{Module: protocol.ModuleFlask, Enforcing: !f.plays("permissive", domain)}
	}
	if domain != "dom0" && !f.plays("allowed", domain) {
		facts.Forbidden = 1
		if f.flask {
			facts.Forbidden = 13
		}
	}
	err := errors.Join(
		out.Hello(wire.Hello{Domain: domain, Build: f.order.Build, Plan: hash, Benchmarks: len(plan.Benchmarks)}),
		out.Warning(facts.Encode()),
		out.Warning("the clock is coarse"),
	)
	for i, name := range plan.Benchmarks {
		b, ok := bench.Find(name)
		if !ok {
			return fmt.Errorf("no benchmark %s", name)
		}
		err = errors.Join(err, out.Begin(name, i+1, len(plan.Benchmarks)))
		switch {
		case b.Dom0Only && domain != "dom0":
			err = errors.Join(err, out.Skip(name, "only the control domain may"))
		case b.FullName() == "Target/fails":
			err = errors.Join(err, out.Sample(bench.Measurement{Domain: domain, Benchmark: name, Error: "no memory"}))
		default:
			err = errors.Join(err, out.Sample(bench.Measurement{
				Domain: domain, Benchmark: name, Iterations: 7, Values: []bench.Value{{Value: 5, Unit: "ns/op"}},
			}))
		}
		if f.plays("agent reports a failure", domain) {
			return errors.Join(err, out.Failure(errors.New("store results: no memory")))
		}
	}
	to.WriteString("some noise\r\n")
	return errors.Join(err, out.End())
}

func (f *fake) plays(what, domain string) bool {
	return f.scenario.Measure == what && (f.scenario.Domain == "" || f.scenario.Domain == domain)
}

// garbled damages the stream of records.
func (f *fake) garbled(b []byte) []byte {
	lines := bytes.SplitAfter(b, []byte("\n"))
	switch f.scenario.Measure {
	case "a byte flips":
		return bytes.Replace(b, []byte(`"iterations":7`), []byte(`"iterations":9`), 1)
	case "a record is lost":
		return bytes.Join(slices.Delete(lines, 3, 4), nil)
	case "the stream is cut off":
		return b[:len(b)-10]
	case "the stream has no end":
		return bytes.Join(lines[:len(lines)-2], nil)
	case "the stream is empty":
		return nil
	case "the kernel prints into a record":
		return bytes.Replace(b, []byte(`"iterations"`), []byte("[ 3.2] oops\n\"iterations\""), 1)
	}
	return b
}

// windows are what the plug-in would count.
func (f *fake) windows(domain string) string {
	if f.plays("no windows", domain) {
		return ""
	}
	var b strings.Builder
	for i, name := range f.order.Plan.Benchmarks {
		bm, _ := bench.Find(name)
		counts := "0:1:16:1"
		if f.flask {
			counts += " 1:2:100:1"
		}
		for range 3 {
			if bm.Baseline != nil {
				fmt.Fprintf(&b, "w %s %d 2 10 100\n", domain, mark.Slot(i, bench.PhaseBaseline))
			}
			fmt.Fprintf(&b, "w %s %d 2 300 1000 %s\n", domain, mark.Slot(i, bench.PhaseOperation), counts)
		}
	}
	return b.String()
}
