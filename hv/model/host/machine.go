package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"xsmbench/hv"
	"xsmbench/hv/process"
)

// Boot starts an image's program and hands it the plan.
func (t *Target) Boot(ctx context.Context, img *hv.Image, spec hv.BootSpec) (hv.Machine, error) {
	if spec.Accel == icount {
		return t.bootCounting(ctx, img, spec)
	}
	if s, err := t.opened(); err == nil {
		s.Settle(ctx, spec.Say) // what is put into a shared store would be timed, too
	}
	m, err := t.launch(img, spec, nil)
	if err != nil {
		return nil, fmt.Errorf("boot %s: %w", img.Build.Name, err)
	}
	return m, nil
}

// launch starts the program, under an emulator if there is a command for it.
func (t *Target) launch(img *hv.Image, spec hv.BootSpec, emulate []string) (*process.Machine, error) {
	args, err := t.arguments(img, spec)
	if err != nil {
		return nil, err
	}
	s := process.Spec{Image: img, Boot: spec, Command: slices.Concat(emulate, []string{img.Path}, args), Limits: t.limits}
	if emulate != nil {
		s.Settings, s.Limits = steady, t.emulated
	}
	return process.Start(s)
}

// arguments are those of the model's program.
func (t *Target) arguments(img *hv.Image, spec hv.BootSpec) ([]string, error) {
	policy := ""
	if img.Build.Policy != "" {
		if img.Policy == "" {
			return nil, errors.New("the image has no policy")
		}
		var err error
		if policy, err = t.policy(img.Policy); err != nil {
			return nil, err
		}
	}
	args := append([]string{"-plan", "-"}, securityArguments(img.Build, policy)...)
	if spec.Seed != 0 {
		args = append(args, "-seed", strconv.FormatInt(spec.Seed, 10))
	}
	return args, nil
}

// securityArguments are those about the security module: its policy, which is in a
// file, "" for none, and the hypervisor's command line.
func securityArguments(b hv.Build, file string) (args []string) {
	for _, a := range [][2]string{{"-policy", file}, {"-label", b.Label}, {"-unknown", b.Unknown}, {"-xen", commandLine(b)}} {
		if a[1] != "" {
			args = append(args, a[0], a[1])
		}
	}
	return args
}

// steady are the settings of Go's run-time system by which one thread at a
// time executes the program's code, and nothing interrupts it.
var steady = []string{"GOMAXPROCS=1", "GODEBUG=asyncpreemptoff=1"}
