package xen

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"xsmbench/hv"
	"xsmbench/hv/xen/headers"
	"xsmbench/hv/xen/source"
	treestack "xsmbench/hv/xen/toolstack"
)

// doctorTools looks for what dom0's toolstack takes, for a tree or for the source
// package.
func (t *Target) doctorTools(ctx context.Context, b hv.Build) hv.Finding {
	if b.Source != "" {
		return t.doctorTree(ctx, b)
	}
	f := doctorToolstack(ctx)
	if b.Packages.Toolstack == hv.ToolstackTree {
		f.Advice = f.OK
		return f
	}
	if source, offered, err := t.packagedVersions(ctx, b.Packages); err == nil && source != offered && !f.OK {
		f.Advice = false
		f.Detail = fmt.Sprintf("cannot be built without %s; Xen %s needs them, since the distribution's toolstack is of %s", strings.Join(f.Packages, ", "), source, offered)
	}
	return f
}

// packagedVersions are those of the source package and of the distribution's
// toolstack.
func (t *Target) packagedVersions(ctx context.Context, from hv.Packages) (sources, offered string, err error) {
	s, err := t.store()
	if err != nil {
		return "", "", err
	}
	files, err := source.Newest(ctx, s, sourceFrom(from))
	if err != nil {
		return "", "", err
	}
	if m := sourceVersion.FindStringSubmatch(files[0].Name); m != nil {
		sources = m[1]
	}
	offered, err = offeredVersion(ctx, s, guestsFrom(from), silent)
	return sources, offered, err
}

// sourceVersion is in the name of each file of Xen's source package.
var sourceVersion = regexp.MustCompile(`^xen_(\d+\.\d+)`)

// doctorToolstack looks for what building a toolstack takes. Only trees of another
// version than the distribution's need it.
func doctorToolstack(ctx context.Context) hv.Finding {
	f := hv.Finding{What: "other trees' tools", OK: true, Advice: true, Detail: "can be built, for trees of another version than the distribution's Xen"}
	if missing := treestack.Missing(ctx); missing != nil {
		f.OK, f.Packages, f.Mend = false, missing, install(missing...)
		f.Detail = "cannot be built without " + strings.Join(missing, ", ") + "; trees of another version than the distribution's Xen need them"
	}
	return f
}

// doctorTree looks for what a tree's toolstack needs.
func (t *Target) doctorTree(ctx context.Context, b hv.Build) hv.Finding {
	f := hv.Finding{What: "tools for " + b.Source}
	version, own, err := t.needsOwnTools(ctx, b)
	missing := treestack.Missing(ctx)
	switch {
	case err != nil:
		f.Detail = err.Error()
	case !own:
		f.OK, f.Detail = true, "the distribution's: the tree is of its version, "+version
	case missing != nil:
		f.Packages, f.Mend = missing, install(missing...)
		f.Detail = fmt.Sprintf("Xen %s is to have tools from its own tree, which cannot be built without %s", version, strings.Join(missing, ", "))
	default:
		f.OK, f.Detail = true, "Xen "+version+" gets tools from its own tree, which can be built"
	}
	return f
}

// needsOwnTools says of which version a user's tree is, and whether the
// distribution's tools are not for it.
func (t *Target) needsOwnTools(ctx context.Context, b hv.Build) (version string, own bool, err error) {
	s, err := t.store()
	if err != nil {
		return "", false, err
	}
	tree, err := source.Open(ctx, b.Source)
	if err != nil {
		return "", false, err
	}
	if version, err = tree.XenVersion(); err != nil {
		return "", false, err
	}
	iface, err := headers.Read(ctx, s, tree)
	if err != nil {
		return "", false, err
	}
	own, err = t.ownTools(ctx, b.Packages, version, iface, silent)
	return version, own, err
}
