// Package fakeqemu stands in for QEMU in tests of what boots Xen. It reads the
// real one's command line, speaks its monitor's protocol, saves and loads
// snapshots, and reports what the agents of the domains and the counting
// plug-in would. What goes wrong meanwhile is a Scenario.
//
// The program is the test's own: a link to it by QEMU's name, first in PATH, and
// a TestMain that calls Main. So it knows the benchmarks that the test knows.
package fakeqemu

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"xsmbench/hv/xen/protocol"
	"xsmbench/hv/xen/qemu"
)

// Called says whether this process was started by QEMU's name.
func Called() bool { return filepath.Base(os.Args[0]) == qemu.Program }

// Main is QEMU. It does not return.
func Main() {
	if err := play(os.Args[1:]); err != nil {
		complain("%v", err)
	}
	os.Exit(0)
}

// Install makes this process's program QEMU in a directory of programs.
func Install(bin string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return os.Symlink(self, filepath.Join(bin, qemu.Program))
}

// Scenario is what the fake plays. Empty is well.
type Scenario struct {
	Boot    string // on the way to the snapshot
	Measure string // in a machine with an order
	Domain  string // measuring in which goes wrong, "" for each
}

// Files beside the image that is booted.
const (
	scenarioFile = "scenario" // JSON; all is well without it
	logFile      = "started"  // a line for each QEMU: its process and what it does
)

// LogVariable is an environment variable that names another file for what logFile
// has: nothing can be written beside an image that is in the store.
const LogVariable = "XSMBENCH_FAKEQEMU_LOG"

// Write has the QEMUs that boot an image play the scenario.
func (s Scenario) Write(image string) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(filepath.Dir(image), scenarioFile), text, 0o644)
}

// Started lists the processes of the QEMUs that ran an image.
func Started(image string) []string {
	text, _ := os.ReadFile(filepath.Join(filepath.Dir(image), logFile))
	var pids []string
	for line := range strings.Lines(string(text)) {
		pid, _, _ := strings.Cut(line, " ")
		pids = append(pids, pid)
	}
	return pids
}

// Words of the log.
const (
	Boots   = "boots"
	Resumes = "resumes"
)

// Flask is what the file of an image has if FLASK is what it boots.
const Flask = "CONFIG_XSM_FLASK_DEFAULT=y"

// Console is what the real Xen printed on the way to a snapshot.
//
//go:embed testdata/console
var Console string

// fake is a QEMU that plays.
type fake struct {
	options  map[string][]string
	scenario Scenario
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
	options := parse(args)
	if slices.Equal(options["-machine"], []string{"none"}) {
		return loadPlugin(options)
	}
	f := &fake{options: options, events: make(chan string, 8), resumed: make(chan struct{}), heard: make(chan struct{})}
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
	f.console.WriteString(Console)
	f.takePolicy()
	if f.options["-qmp"] != nil && f.scenario.Boot != "usage" {
		<-f.heard // a real boot takes longer than connecting does
		if f.options["-S"] != nil {
			<-f.resumed
		}
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

// takePolicy says on the console that Xen found a policy among the boot modules.
func (f *fake) takePolicy() {
	for _, module := range strings.Split(f.options["-initrd"][0], ",") {
		text, err := os.ReadFile(module)
		if err == nil && bytes.HasPrefix(text, []byte(policyMagic)) && f.scenario.Boot != "policy not taken" {
			f.print(fmt.Sprintf("(XEN) Policy len %#x, start at ffff82c000200000.", len(text)))
		}
	}
}

// policyMagic begins a policy.
const policyMagic = "\x8c\xff\x7c\xf9"

// loadPlugin is a machine that has nothing but a plug-in.
func loadPlugin(options map[string][]string) error {
	for _, arg := range strings.Split(options["-plugin"][0], ",") {
		if out, ok := strings.CutPrefix(arg, "out="); ok {
			return os.WriteFile(out, []byte("end\n"), 0o644)
		}
	}
	return nil
}

// parse reads options, each with its values.
func parse(args []string) map[string][]string {
	options := map[string][]string{}
	for i := 0; i < len(args); i++ {
		name, value := args[i], ""
		if i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
			i++
			value = args[i]
		}
		options[name] = append(options[name], value)
	}
	return options
}

// prepare opens the machine's files and reads its scenario and its order.
func (f *fake) prepare() error {
	image := f.options["-kernel"][0]
	text, err := os.ReadFile(image)
	if err != nil {
		return err
	}
	f.flask = strings.Contains(string(text), Flask)
	text, err = os.ReadFile(filepath.Join(filepath.Dir(image), scenarioFile))
	if err == nil {
		err = json.Unmarshal(text, &f.scenario)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := f.log(image); err != nil {
		return err
	}
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

// log notes that this QEMU has started.
func (f *fake) log(image string) error {
	path := os.Getenv(LogVariable)
	if path == "" {
		path = filepath.Join(filepath.Dir(image), logFile)
	}
	what := Boots
	if f.options["-incoming"] != nil {
		what = Resumes
	}
	log, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(log, os.Getpid(), what)
	return errors.Join(err, log.Close())
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
