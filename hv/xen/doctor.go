package xen

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"xsmbench/hv"
	"xsmbench/hv/gotool"
	"xsmbench/hv/store"
	"xsmbench/hv/xen/kbuild"
	"xsmbench/hv/xen/qemu"
	"xsmbench/hv/xen/source"
)

// programsNeeded are other people's programs that the target runs, with their
// Debian packages and what they are for.
var programsNeeded = []struct{ program, pkg, purpose string }{
	{qemu.Program, "qemu-system-x86", "boots Xen"},
	{"gcc", "gcc libc6-dev", "compiles Xen and the plug-in"},
	{"make", "make", "builds Xen"},
	{"flex", "flex", "builds Xen"},
	{"bison", "bison", "builds Xen"},
	{"m4", "m4", "makes FLASK's policy"},
	{"checkpolicy", "checkpolicy", "makes FLASK's policy"},
	{"python3", "python3", "builds Xen"},
	{"xz", "xz-utils", "unpacks the kernel"},
	{"apt-get", "apt", "fetches packages"},
	{"dpkg-deb", "dpkg", "unpacks packages"},
	{"dpkg-source", "dpkg-dev", "unpacks Xen's source package"},
}

// Doctor looks for what the target needs, and tries what can be tried without a
// guest: QEMU loads the plug-in, and the archives' index has the packages.
func (t *Target) Doctor(ctx context.Context, b hv.Build) []hv.Finding {
	findings := []hv.Finding{doctorPrograms(), doctorGo(), t.doctorStore(), t.doctorPlugin(ctx)}
	if b.Source == "" {
		findings = append(findings, t.doctorSource(ctx, b.Packages))
	}
	findings = append(findings, t.doctorGuests(ctx, b.Packages), t.doctorTools(ctx, b))
	return append(findings, t.doctorSpace(), doctorRoot(), doctorKVM())
}

func doctorPrograms() hv.Finding {
	f := hv.Finding{What: "programs"}
	var missing, packages []string
	for _, p := range programsNeeded {
		if _, err := exec.LookPath(p.program); err != nil {
			missing = append(missing, p.program+" ("+p.purpose+")")
			packages = append(packages, p.pkg)
		}
	}
	if missing == nil {
		f.OK, f.Detail = true, fmt.Sprintf("%s and the %d others that it takes", qemu.Program, len(programsNeeded)-1)
		return f
	}
	f.Detail = "not found: " + strings.Join(missing, ", ")
	f.Packages = strings.Fields(strings.Join(packages, " "))
	f.Mend = install(f.Packages...)
	return f
}

// install is the command that installs Debian packages.
func install(packages ...string) string {
	command := "apt-get install -y --no-install-recommends " + strings.Join(packages, " ")
	if os.Geteuid() != 0 {
		command = "sudo " + command
	}
	return command
}

func doctorGo() hv.Finding {
	f := hv.Finding{What: "Go tool"}
	g, err := gotool.Find("", "amd64")
	if err != nil {
		f.Detail, f.Mend = err.Error(), "install Go from https://go.dev/dl"
		return f
	}
	f.OK, f.Detail = true, g.Path+"; it compiles the agent"
	return f
}

func (t *Target) doctorStore() hv.Finding {
	f := hv.Finding{What: "store"}
	s, err := t.store()
	switch {
	case err != nil:
		f.Detail = err.Error() + "; nothing can be built"
	case s.ReadOnly():
		f.Detail = s.Dir() + " can be read, not written; what is not in it cannot be built"
	default:
		f.OK, f.Detail = true, s.Dir()+"; in it: "+inStore(s)
		return f
	}
	f.Mend = "set XDG_CACHE_HOME to a directory that can be written"
	return f
}

// inStore says what need not be made again.
func inStore(s *store.Store) string {
	list, err := s.List()
	if err != nil {
		return err.Error()
	}
	counts := map[string]int{}
	for _, i := range list {
		counts[i.Kind]++
	}
	var has []string
	for _, k := range []store.Kind{source.Kind, kbuild.Kind, guestPackages, snapshots} {
		if n := counts[k.Name]; n > 0 {
			has = append(has, fmt.Sprintf("%d %s", n, k.Name))
		}
	}
	if has == nil {
		return "nothing yet; the first run takes some minutes more"
	}
	return strings.Join(has, ", ")
}

// spaceNeeded is what three builds with their snapshots take, in MiB.
const spaceNeeded = 3000

func (t *Target) doctorSpace() hv.Finding {
	f := hv.Finding{What: "disk space", Advice: true}
	s, err := t.store()
	var fs syscall.Statfs_t
	if err == nil {
		err = syscall.Statfs(s.Dir(), &fs)
	}
	if err != nil {
		f.Detail = err.Error()
		return f
	}
	free := int64(fs.Bavail) * int64(fs.Bsize) >> 20
	f.OK = free >= spaceNeeded
	f.Detail = fmt.Sprintf("%d MiB free for the store", free)
	if !f.OK {
		f.Detail += fmt.Sprintf("; three builds with their snapshots take %d MiB", spaceNeeded)
		f.Mend = "set XDG_CACHE_HOME to a directory on a larger disk"
	}
	return f
}

func doctorRoot() hv.Finding {
	f := hv.Finding{What: "root", OK: true, Advice: true, Detail: "not needed: packages are unpacked, not installed, and QEMU runs as anybody"}
	if os.Geteuid() == 0 {
		f.Detail = "yes, though only installing programs needs it"
	}
	return f
}

func doctorKVM() hv.Finding {
	f := hv.Finding{What: "hardware virtualisation", Advice: true}
	if err := virtualises(); err != nil {
		f.Detail = err.Error()
		return f
	}
	f.OK, f.Detail = true, "there; --accel kvm times on the processor itself"
	return f
}
