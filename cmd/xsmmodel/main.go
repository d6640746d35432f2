// Command xsmmodel is one boot of the hypervisor model: it builds the machine,
// boots dom0, has it build a domU, lets both measure what the plan asks for,
// and powers off. A machine that is to be measured is a process of its own, so
// that no boot finds what another left in the heap.
//
// Results go to standard output, as the stream of package bench/wire, the
// machine's console to standard error. The build tags of the program say how
// the hypervisor was built: none for native, "xsm" for the framework. The module in
// it is the one whose package the program imports, the dummy if there is none.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"xsmbench/bench"
	_ "xsmbench/bench/kbench"
	_ "xsmbench/bench/lmbench"
	_ "xsmbench/workloads/block"
	_ "xsmbench/workloads/domains"
	_ "xsmbench/workloads/kernbench"
	_ "xsmbench/workloads/network"
	_ "xsmbench/workloads/serve"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1 // the machine or one of its domains failed
	exitInput  = 3 // the command line, the plan or another input is no good
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// options are the command line.
type options struct {
	plan   string
	frames int
	cpus   int
	xen    string
	policy string
	// label and unknown are xsm.PolicyOptions.
	label, unknown string
	seed           int64
	out            string
	domUs          int
	about          bool
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("xsmmodel", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.plan, "plan", "-", "read the plan, JSON of bench.Plan, from `FILE`; - is standard input")
	f.IntVar(&o.frames, "frames", 0, "machine memory, `N` frames of 4096 bytes; 0 is what the domains need")
	f.IntVar(&o.cpus, "cpus", 2, "`N` physical processors")
	f.StringVar(&o.xen, "xen", "", "the hypervisor's command `LINE`, as flask_enforcing=1")
	f.StringVar(&o.policy, "policy", "", "boot with the security policy in `FILE` instead of the built-in one")
	f.StringVar(&o.label, "label", "", "create domains with the security `CONTEXT` instead of the policy's usual one")
	f.StringVar(&o.unknown, "unknown", "", "permissions that the policy does not have: `reject` (the policy), deny or allow")
	f.Int64Var(&o.seed, "seed", 0, "perturb the start: `N` chooses a delay and where things lie in memory")
	f.StringVar(&o.out, "o", "", "write results to `FILE` instead of standard output")
	f.IntVar(&o.domUs, "domUs", 1, "build `N` domains besides dom0; the first one measures")
	f.BoolVar(&o.about, "about", false, "check the policy, say what the security module is, and end")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if o.frames == 0 {
		o.frames = leastFrames(o.domUs)
	}
	if least := leastFrames(o.domUs); o.domUs < 0 || o.domUs > 8 || o.frames < least || o.frames > mostFrames {
		return o, fmt.Errorf("%d frames for dom0 and %d domains: want 0 to 8 domains and %d to %d frames", o.frames, o.domUs, least, mostFrames)
	}
	if o.cpus < 1 || o.cpus > 32 {
		return o, fmt.Errorf("%d physical processors: want 1 to 32", o.cpus)
	}
	return o, nil
}

// run is the program. It returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	fail := func(code int, err error) int {
		fmt.Fprintf(stderr, "xsmmodel: %v\n", err)
		return code
	}
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitDone
	}
	if err != nil {
		return fail(exitInput, err)
	}
	k, err := linkedKind()
	if err != nil {
		return fail(exitInput, err)
	}
	sec, err := k.secure(o)
	if err != nil {
		return fail(exitInput, err)
	}
	if o.about {
		if err := k.describe(stdout, sec.cmdLine); err != nil {
			return fail(exitInput, err)
		}
		return exitDone
	}
	plan, err := readPlan(o.plan, stdin)
	if err != nil {
		return fail(exitInput, err)
	}
	out, done, err := output(o.out, stdout)
	if err != nil {
		return fail(exitInput, err)
	}
	b := newBoot(o, k, plan, sec, out, stderr)
	err = b.run(ctx)
	if e := done(); err == nil {
		err = e
	}
	if err != nil {
		return fail(exitFailed, err)
	}
	return exitDone
}

// readPlan reads what to measure.
func readPlan(path string, stdin io.Reader) (bench.Plan, error) {
	var plan bench.Plan
	name, r := path, stdin
	if path == "-" {
		name = "standard input"
	} else {
		f, err := os.Open(path)
		if err != nil {
			return plan, fmt.Errorf("read plan: %w", err)
		}
		defer f.Close()
		r = f
	}
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(&plan); err != nil {
		return plan, fmt.Errorf("read plan %s: %w", name, err)
	}
	for _, dom := range plan.Domains {
		if dom != dom0Name && dom != domUName {
			return plan, fmt.Errorf("read plan %s: unknown domain %q: have %s and %s", name, dom, dom0Name, domUName)
		}
	}
	for _, b := range plan.Benchmarks {
		if _, ok := bench.Find(b); !ok {
			return plan, fmt.Errorf("read plan %s: unknown benchmark %q", name, b)
		}
	}
	return plan, nil
}

// output opens where results go.
func output(path string, stdout io.Writer) (io.Writer, func() error, error) {
	if path == "" {
		return stdout, func() error { return nil }, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, nil, fmt.Errorf("write results: %w", err)
	}
	return f, f.Close, nil
}
