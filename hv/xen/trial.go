package xen

import (
	"context"
	"os/exec"
	"slices"
	"strings"

	"xsmbench/hv"
	"xsmbench/hv/count/window"
	"xsmbench/hv/store"
	"xsmbench/hv/xen/qemu"
	"xsmbench/hv/xen/source"
)

// tried is a finding about what doctor has tried. Without the programs that it
// takes it is not tried: that they are missing is another finding.
func (t *Target) tried(f hv.Finding, programs []string, try func(*store.Store) (detail string, err error)) hv.Finding {
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			f.Advice, f.Mend, f.Detail = true, "", "not tried, for lack of "+p
			return f
		}
	}
	s, err := t.store()
	if err != nil {
		f.Advice, f.Mend, f.Detail = true, "", "not tried, for lack of a store"
		return f
	}
	if f.Detail, err = try(s); err != nil {
		f.Detail = err.Error()
		return f
	}
	f.OK, f.Mend = true, ""
	return f
}

// doctorPlugin has QEMU load the plug-in.
func (t *Target) doctorPlugin(ctx context.Context) hv.Finding {
	f := hv.Finding{What: "counting plug-in", Mend: "install a QEMU of 7.2 to 11.1 that was built with plug-ins (--enable-plugins), such as Debian's"}
	return t.tried(f, []string{qemu.Program, "gcc"}, func(s *store.Store) (string, error) {
		plugin, err := window.BuildPlugin(ctx, s, qemu.Program)
		if err != nil {
			return "", err
		}
		defer plugin.Release()
		dir, release, err := s.Scratch("a trial of the plug-in")
		if err != nil {
			return "", err
		}
		defer release()
		if err := window.Load(ctx, qemu.Program, plugin.Path(window.PluginFile), dir); err != nil {
			return "", err
		}
		version, err := qemuVersion(ctx)
		return version + " loads it", err
	})
}

// otherPackages is what to do where an index does not have the packages.
const otherPackages = "see that apt-get update works and that the machine has Debian's sources; or name the release and the archive (--guests, --source-release, --archive)"

// doctorSource looks Xen's source package up.
func (t *Target) doctorSource(ctx context.Context, from hv.Packages) hv.Finding {
	f := hv.Finding{What: "Xen's source package", Mend: otherPackages}
	return t.tried(f, []string{"apt-get"}, func(s *store.Store) (string, error) {
		files, err := source.Newest(ctx, s, sourceFrom(from))
		var names []string
		for _, file := range files {
			if name, ok := strings.CutSuffix(file.Name, ".dsc"); ok {
				return name, nil
			}
			names = append(names, file.Name)
		}
		return strings.Join(names, ", "), err
	})
}

// doctorGuests looks the packages up that the guests are made of.
func (t *Target) doctorGuests(ctx context.Context, from hv.Packages) hv.Finding {
	f := hv.Finding{What: "guests' packages", Mend: otherPackages}
	return t.tried(f, []string{"apt-get", "apt-cache"}, func(s *store.Store) (string, error) {
		kernel, err := kernelPart.newest(ctx, s, guestsFrom(from))
		if err != nil {
			return "", err
		}
		tools, err := toolstackPart.newest(ctx, s, guestsFrom(from))
		return packagesText(slices.Concat(kernel.names(), tools.names())), err
	})
}
