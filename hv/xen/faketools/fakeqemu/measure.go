package fakeqemu

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"xsmbench/bench"
	"xsmbench/bench/wire"
	"xsmbench/hv/count/mark"
	"xsmbench/hv/xen/protocol"
)

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
		case b.DomUOnly && domain == "dom0":
			err = errors.Join(err, out.Skip(name, "the control domain serves others with it"))
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
