//go:build linux && (amd64 || 386)

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"xsmbench/hv/count/mark"

	"xsmbench/abi"
	"xsmbench/bench"
	"xsmbench/bench/agent"
	"xsmbench/bench/wire"
	"xsmbench/hv/xen/domain/hypercall"
	"xsmbench/hv/xen/domain/linux"
	"xsmbench/hv/xen/protocol"
	"xsmbench/workloads"
)

// session is the domain that benchmarks run in.
type session struct {
	bench.Marker
	os    *linux.OS
	calls bench.Hypercalls
}

func (s session) OS() bench.OS                 { return s.os }
func (s session) Hypercalls() bench.Hypercalls { return s.calls }

// measure runs the plan in this domain and reports to w: a whole session of
// records, or one that ends with a failure. The other domain does its part if the plan's
// workload is a neighbour's.
func measure(name string, o protocol.Order, calls *hypercall.Domain, have *devices, other otherDomain, w io.Writer) error {
	s := newSession(calls, have)
	return runPlan(name, o, s, other, w, func(r *reporter) error { return r.facts(calls) })
}

// newSession is this domain with what it has.
func newSession(calls *hypercall.Domain, have *devices) session {
	c := linux.Config{Native: protocol.NativePath, IPC: protocol.IPCPath, Hello: protocol.HelloPath, Shell: protocol.ShellPath}
	if _, err := os.Stat(protocol.CompilerPath); err == nil {
		c.Compiler = protocol.CompilerPath
	}
	if _, err := os.Stat(protocol.DynamicPath); err == nil {
		c.Dynamic, c.LibraryShell = protocol.DynamicPath, protocol.LibraryShellPath
	}
	have.equip(&c)
	system := linux.New(c)
	return session{system, system, calls}
}

// runPlan is measure for any domain. What is to be said first is said after the
// hello.
func runPlan(name string, o protocol.Order, s session, other otherDomain, w io.Writer, first func(*reporter) error) error {
	out := wire.NewWriter(w)
	hello := wire.Hello{Domain: name, Build: o.Build, Plan: o.Plan.Hash(), Benchmarks: len(o.Plan.Benchmarks)}
	if err := out.Hello(hello); err != nil {
		return err
	}
	linux.OwnDescriptors() // main has locked the thread
	r := reporter{Writer: out, os: s.os, counting: o.Plan.Options.Windows > 0, now: reclaims}
	err := first(&r)
	load, e := workloads.Find(o.Plan.Workload)
	if err = errors.Join(err, e); err == nil {
		c := agent.Config{
			Domain:  name,
			Plan:    o.Plan,
			Between: newBetween(r.counting).rest,
			InPlace: func(bench.Benchmark) bool { return true },
		}
		switch {
		case load.Same:
			c.Beside = other.same
		case load.Neighbour:
			c.Workload = other.start
		default:
			c.Workload = load.Start
		}
		err = agent.Run(s, c, &r)
	}
	if err != nil {
		return errors.Join(err, out.Failure(err))
	}
	return out.End()
}

// reporter is the agent's sink: it gives every benchmark its slots, and leaves
// out what only timing needs.
type reporter struct {
	*wire.Writer
	os       *linux.OS
	counting bool
	now      func() uint64 // reclaims
	begun    uint64        // of them, when the benchmark began
}

// outOfMemory is said of a benchmark during which the kernel looked for memory to free.
const outOfMemory = bench.NotExact + "the domain has so little memory left that its kernel had to free some meanwhile"

// Begin announces a benchmark and chooses its slots.
func (r *reporter) Begin(benchmark string, index, total int) error {
	if r.counting {
		if err := r.os.SetSlot(mark.Slot(index-1, bench.PhaseBaseline)); err != nil {
			return err
		}
		r.begun = r.now()
	}
	return r.Writer.Begin(benchmark, index, total)
}

// Sample reports a result. Where windows are counted, their times say nothing. That
// a security module refused the benchmark is noted on the console, behind what the
// module says of it.
func (r *reporter) Sample(m bench.Measurement) error {
	if refused(m.Error) {
		fmt.Fprintln(os.Stderr, protocol.Refused+m.Benchmark)
	}
	if r.counting {
		m.Windows = nil
		m.Warnings = nil
		if r.now() != r.begun {
			m.Warnings = []string{outOfMemory}
		}
	}
	return r.Writer.Sample(m)
}

// refused reports whether an error ends with what Xen answers to what a module
// denied.
func refused(text string) bool {
	return strings.HasSuffix(text, abi.EACCES.Error()) || strings.HasSuffix(text, abi.EPERM.Error())
}

// guestType is what the kernel takes the domain for, "" if it does not say.
func guestType() string {
	text, err := os.ReadFile("/sys/hypervisor/guest_type")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// facts reports what Xen says of itself: the security module's mode, and
// whether an unprivileged domain is refused what it must not do.
func (r *reporter) facts(calls *hypercall.Domain) error {
	f := protocol.Facts{Module: protocol.ModuleNone}
	enforcing, err := calls.Mode()
	switch {
	case errors.Is(err, errors.ErrUnsupported):
	case err != nil:
		f.Module, f.Refused = protocol.ModuleFlask, err.Error()
	case enforcing:
		f.Module, f.Enforcing = protocol.ModuleFlask, true
	default:
		f.Module = protocol.ModuleFlask
	}
	if !calls.Privileged() {
		f.Guest = guestType()
		var refusal abi.Errno
		switch err := calls.Forbidden(); {
		case errors.As(err, &refusal):
			f.Forbidden = int(refusal)
		case err != nil:
			return fmt.Errorf("try what is forbidden: %w", err)
		}
	}
	return r.Warning(f.Encode())
}
