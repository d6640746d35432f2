package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"

	"xsmbench/hv"
	"xsmbench/hv/gotool"
)

// Doctor looks for the Go tool, the source, the store, and what makes
// measurements noisy.
func (t *Target) Doctor(ctx context.Context, _ hv.Build) []hv.Finding {
	findings := []hv.Finding{doctorGo(ctx), doctorSource(), t.doctorStore()}
	return append(findings, t.doctor386(), doctorCPUs(), doctorGovernor(), doctorLoad(), doctorQEMU())
}

func doctorGo(ctx context.Context) hv.Finding {
	f := hv.Finding{What: "Go tool"}
	g, err := gotool.Find("", runtime.GOARCH)
	if err != nil {
		f.Detail = err.Error() + "; nothing can be built"
		f.Mend = "install Go from https://go.dev/dl"
		return f
	}
	env, err := g.Env(ctx)
	if err != nil {
		f.Detail = err.Error()
		return f
	}
	f.OK = true
	f.Detail = fmt.Sprintf("%s %s/%s, %s", env["GOVERSION"], env["GOOS"], env["GOARCH"], g.Path)
	return f
}

func doctorSource() hv.Finding {
	f := hv.Finding{What: "model's source"}
	err := unambiguous()
	var two *AmbiguousError
	switch {
	case errors.As(err, &two):
		f.Detail = fmt.Sprintf("the clone %s is not what this xsmbench was built from (%s differs)", two.Dir, two.File)
		f.Mend = "build xsmbench again, or give --source " + two.Dir + ", or leave the clone"
	case err != nil:
		f.Detail = err.Error()
	default:
		f.OK, f.Detail = true, "in this program"
	}
	return f
}

func (t *Target) doctorStore() hv.Finding {
	f := hv.Finding{What: "store", Mend: "set XDG_CACHE_HOME to a directory that can be written"}
	s, err := t.opened()
	switch {
	case err != nil:
		f.Detail = err.Error() + "; nothing can be built"
	case s.ReadOnly():
		f.Detail = s.Dir() + " can be read, not written; what is not in it cannot be built"
	default:
		f.OK, f.Mend, f.Detail = true, "", s.Dir()
	}
	return f
}

// doctor386 tells whether this machine runs 32-bit programs: an amd64 kernel
// can be built without them.
func (t *Target) doctor386() hv.Finding {
	f := hv.Finding{What: "32-bit programs", Advice: true}
	switch {
	case runtime.GOARCH == "386":
		f.OK, f.Detail = true, "native"
	case runtime.GOARCH != "amd64":
		f.Detail = "not an x86 processor; the model cannot run here"
	default:
		if err := t.Starts(hv.Build{Arch: "386"}, ""); err != nil {
			f.Detail = err.Error()
		} else {
			f.OK, f.Detail = true, "the kernel runs them (--arch 386)"
		}
	}
	return f
}

func doctorCPUs() hv.Finding {
	f := hv.Finding{What: "processors", OK: true, Advice: true, Detail: strconv.Itoa(processors())}
	if processors() < 2 {
		f.OK = false
		f.Detail = "1; the model's two physical processors share it, figures are noisier"
	}
	return f
}

func doctorGovernor() hv.Finding {
	f := hv.Finding{What: "frequency governor", OK: true, Advice: true}
	text, err := os.ReadFile("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
	switch g := strings.TrimSpace(string(text)); {
	case err != nil:
		f.Detail = "not visible"
	case g == "performance":
		f.Detail = g
	default:
		f.OK = false
		f.Detail = g + "; the clock rate changes while measuring"
		f.Mend = "cpupower frequency-set -g performance"
	}
	return f
}

func doctorLoad() hv.Finding {
	f := hv.Finding{What: "load", OK: true, Advice: true}
	text, err := os.ReadFile("/proc/loadavg")
	fields := strings.Fields(string(text))
	if err != nil || len(fields) == 0 {
		f.Detail = "not visible"
		return f
	}
	load, err := strconv.ParseFloat(fields[0], 64)
	f.Detail = fields[0] + " over the last minute"
	if err == nil && load > float64(processors())/2 {
		f.OK = false
		f.Detail += "; other programs disturb the measurement"
	}
	return f
}

func doctorQEMU() hv.Finding {
	f := hv.Finding{What: "qemu-x86_64 (instruction counts)", Advice: true}
	path, err := exec.LookPath("qemu-x86_64")
	if err != nil {
		f.Detail = "not found; wall time is measured without it"
		f.Mend = "apt-get install qemu-user"
		return f
	}
	f.OK, f.Detail = true, path
	return f
}
