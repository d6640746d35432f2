//go:build linux && (amd64 || 386)

package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"xsmbench/abi"
	"xsmbench/bench"
	"xsmbench/hv/xen/domain/linux"
	"xsmbench/hv/xen/protocol"
)

// asProcess measures in this process, with no hypervisor below it: the plan, as
// JSON, is read from in, and records go to out. Everything it makes lies in the
// directory of its flags, and nothing that it starts outlives it.
func asProcess(args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("xsmguest", flag.ContinueOnError)
	name := flags.String("domain", protocol.HostDomain, "the `name` of the domain in results")
	c := linux.Config{Mortal: true, MostDynamic: true, ManyFiles: true}
	flags.StringVar(&c.Tmp, "tmp", "", "`directory` in place of /tmp")
	flags.StringVar(&c.Native, "native", "", "the native loops, a `program`")
	flags.StringVar(&c.IPC, "ipc", "", "the native loops between processes, a `program`")
	flags.StringVar(&c.Hello, "hello", "", "a `program` in place of /bin/hello")
	flags.StringVar(&c.Shell, "shell", "", "a `program` in place of /bin/sh")
	flags.StringVar(&c.Dynamic, "dynamic", "", "the native loops linked with the C library, a `program`")
	flags.StringVar(&c.DynamicIPC, "dynamic-ipc", "", "the native loops between processes linked with the C library, a `program`")
	flags.StringVar(&c.Compiler, "compiler", "", "a C `compiler`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if c.Tmp == "" {
		return errors.New("measure in a process: give a directory for its files with -tmp")
	}
	var plan bench.Plan
	if err := json.NewDecoder(in).Decode(&plan); err != nil {
		return fmt.Errorf("read plan: %w", err)
	}
	// A file's path is then as short as in a domain, wherever the directory lies:
	// each directory on the way would cost stat and open some time.
	if err := os.Chdir(filepath.Dir(c.Tmp)); err != nil {
		return fmt.Errorf("measure in a process: %w", err)
	}
	c.Tmp = filepath.Base(c.Tmp)
	system := linux.New(c)
	return runPlan(*name, protocol.Order{Plan: plan}, session{system, system, noHypervisor{}}, otherDomain{}, out, func(*reporter) error { return nil })
}

// noHypervisor is what a process without a domain can ask for below its kernel:
// nothing.
type noHypervisor struct{}

var errNoHypervisor = errors.New("there is no hypervisor below this kernel that it could call")

// DomID is 0, since there is no other.
func (noHypervisor) DomID() abi.DomID { return 0 }

// Privileged is false.
func (noHypervisor) Privileged() bool { return false }

// Prepare fails.
func (noHypervisor) Prepare(abi.Hypercall, *abi.Args) (func() int64, error) {
	return nil, errNoHypervisor
}

// Scratch fails.
func (noHypervisor) Scratch() (bench.Scratch, error) { return bench.Scratch{}, errNoHypervisor }

// Peer fails.
func (noHypervisor) Peer() (bench.Peer, error) { return bench.Peer{}, errNoHypervisor }

// isProcess tells the agent of a domain, its first program, from one that was
// started on a host.
func isProcess() bool { return os.Getpid() != 1 && len(os.Args) > 1 }
