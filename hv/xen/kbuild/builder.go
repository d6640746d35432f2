package kbuild

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"xsmbench/hv/store"
	"xsmbench/hv/store/content"
	"xsmbench/hv/xen/source"
)

// builder makes one product in the tree of its configuration.
type builder struct {
	store    *store.Store
	spec     Spec
	hash     string // of the source that the product is of
	tools    tools
	out      string // where the product goes
	progress func(string)

	space *store.Workspace
	// old are the compatibility headers of the earlier build, if they were
	// removed.
	old generated
}

// What is in a workspace.
func (b *builder) tree() string   { return b.space.Path("tree") }   // the source and its objects
func (b *builder) record() string { return b.space.Path("source") } // which of these are source

// log is the build's own: another one that goes on in this workspace must not
// take away what an error points to.
func (b *builder) log() string { return b.space.Path("log-" + b.hash[:12]) }

func (b *builder) run(ctx context.Context) (err error) {
	b.space, err = b.store.Workspace(ctx, trees, b.spec.treeKey(b.tools), "builds of "+b.spec.What, b.progress)
	if err != nil {
		return fmt.Errorf("build Xen: %w", err)
	}
	// A tree in which a build was cut short may hold half an object, which
	// make would take for a whole one. One that did not compile holds none:
	// compilers remove what they could not finish.
	intact := false
	defer func() { err = errors.Join(err, b.space.Close(intact)) }()
	if err = b.build(ctx); err == nil {
		err = b.keep()
	}
	var failed *Error
	var changed *changedError
	intact = err == nil || errors.As(err, &changed) || errors.As(err, &failed) && failed.OfSource()
	return err
}

// build updates the tree and lets make compile what changed. If that fails for
// another reason than an error in the source, it begins again with nothing.
func (b *builder) build(ctx context.Context) error {
	again := b.space.Intact && !b.spec.Clean
	if !again {
		if err := b.clear(); err != nil {
			return err
		}
	}
	err := b.update(ctx, again)
	var failed *Error
	if !again || ctx.Err() != nil || !errors.As(err, &failed) || failed.OfSource() {
		return err
	}
	b.progress("cannot reuse the earlier build's objects (" + failed.First + "): building from scratch")
	if err := b.clear(); err != nil {
		return err
	}
	return b.update(ctx, false)
}

// clear empties the workspace but for logs.
func (b *builder) clear() error {
	for _, path := range []string{b.tree(), b.record()} {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("build Xen: %w", err)
		}
	}
	return nil
}

// update copies the source into the tree and builds there.
func (b *builder) update(ctx context.Context, again bool) error {
	if err := b.removeLogs(); err != nil {
		return fmt.Errorf("build Xen: %w", err)
	}
	b.progress("copying the source")
	again, err := b.copySource(again)
	if err != nil {
		return err
	}
	b.progress("configuring")
	if err := b.configure(ctx); err != nil {
		return err
	}
	if again {
		b.progress("compiling what changed")
	} else {
		b.progress("compiling")
	}
	if err := b.prepareHeaders(ctx, again); err != nil {
		return err
	}
	args := []string{"-j", strconv.Itoa(max(1, b.spec.Jobs))}
	if b.leavesOutEFI() {
		args = append(args, "efi-y=")
	}
	return b.make(ctx, "compile", args...)
}

// efiImage is how xen/arch/x86/Makefile asks for xen.efi beside xen.
const efiImage = "$(efi-y)"

// leavesOutEFI tells whether xen.efi can be left out: five more links of the same
// objects, for an image that nothing here boots. It can where the variable that asks
// for it is a prerequisite of xen and nothing else (from 4.17 on); in earlier trees it
// decides what is compiled, too.
func (b *builder) leavesOutEFI() bool {
	text, err := os.ReadFile(filepath.Join(b.tree(), "xen/arch/x86/Makefile"))
	if err != nil {
		return false
	}
	at := strings.Index(string(text), "\n$(TARGET): $(TARGET)-syms "+efiImage)
	return at >= 0 && strings.Count(string(text), efiImage) == 1
}

// keptLogs is how many other builds' logs stay.
const keptLogs = 5

// removeLogs removes this build's log and old ones.
func (b *builder) removeLogs() error {
	if err := os.RemoveAll(b.log()); err != nil {
		return err
	}
	logs, err := filepath.Glob(b.space.Path("log-*"))
	if err != nil || len(logs) <= keptLogs {
		return err
	}
	written := func(path string) time.Time {
		info, err := os.Stat(path)
		if err != nil {
			return time.Time{}
		}
		return info.ModTime()
	}
	slices.SortFunc(logs, func(a, b string) int { return written(b).Compare(written(a)) })
	for _, path := range logs[keptLogs:] {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	return nil
}

// copySource makes the tree's source that of the spec. It reports whether make
// can go on from the objects that are there.
func (b *builder) copySource(again bool) (bool, error) {
	copied, changes, err := content.Sync(b.spec.Tree.Dir, b.tree(), b.record(), b.spec.Tree.Files)
	if err == nil && again {
		if again, err = b.trust(changes); err == nil && !again {
			return b.copySource(false)
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, b.vanished(err)
	case err != nil:
		return false, fmt.Errorf("build Xen: %w", err)
	case !exists(filepath.Join(b.tree(), "xen", "Makefile")):
		return false, fmt.Errorf("build Xen: %s: %w", b.spec.Tree.Dir, source.ErrNotXen)
	case copied != b.hash:
		return false, &changedError{copied}
	}
	return again, nil
}

// trust removes what make would wrongly take for current, all of it if need be.
// It reports whether something is left.
func (b *builder) trust(changes content.Changes) (bool, error) {
	old, err := readGenerated(b.compat())
	if err != nil {
		return false, err
	}
	gone, err := distrust(b.tree(), changes)
	if gone.headers {
		b.old = old
	}
	if err != nil || !gone.all {
		return true, err
	}
	return false, b.clear()
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// vanished looks at a tree again of which a file went while it was copied, as
// those do that editors write. Nobody knows what was copied.
func (b *builder) vanished(cause error) error {
	if err := b.clear(); err != nil {
		return err
	}
	hash, err := content.HashTree(b.spec.Tree.Dir, b.spec.Tree.Files)
	if err != nil {
		return fmt.Errorf("build Xen: %w", cause)
	}
	return &changedError{hash}
}

// refusedError tells which options Kconfig dropped.
type refusedError []string

func (e refusedError) Error() string { return "Kconfig did not accept " + strings.Join(e, ", ") }

// configure completes the fragments and checks that nothing asked for was
// dropped. A configuration that stays as it was keeps its file: make would
// compile everything anew if it were written again.
func (b *builder) configure(ctx context.Context) error {
	const asked = ".config.asked"
	path := filepath.Join(b.tree(), "xen", asked)
	if err := os.WriteFile(path, []byte(b.spec.config()), 0o644); err != nil {
		return fmt.Errorf("configure Xen: %w", err)
	}
	if err := b.make(ctx, "configure", "olddefconfig", "KCONFIG_CONFIG="+asked); err != nil {
		return err
	}
	want, err := ParseConfig(b.spec.config())
	if err != nil {
		return fmt.Errorf("configure Xen: fragment line %w", err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("configure Xen: %w", err)
	}
	got, err := ParseConfig(string(text))
	if err != nil {
		return fmt.Errorf("configure Xen: line %w", err)
	}
	if missing := got.Missing(want); len(missing) > 0 {
		err := refusedError(missing)
		return &Error{Step: "configure", First: err.Error(), Log: b.log(), Err: err}
	}
	return replace(filepath.Join(b.tree(), "xen", ".config"), text)
}

// replace writes a file unless it has that content.
func replace(path string, text []byte) error {
	old, err := os.ReadFile(path)
	if err == nil && string(old) == string(text) {
		return nil
	}
	return os.WriteFile(path, text, 0o644)
}

// keep copies the product: the tree needs its own for the next build.
func (b *builder) keep() error {
	for from, to := range map[string]string{"xen": imageFile, "xen-syms": symsFile, ".config": configFile} {
		if err := copyFile(filepath.Join(b.tree(), "xen", from), filepath.Join(b.out, to)); err != nil {
			return fmt.Errorf("keep Xen's build: %w", err)
		}
	}
	return nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
