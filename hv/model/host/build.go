package host

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"xsmbench/hv"
	"xsmbench/hv/gotool"
	"xsmbench/hv/store"
	"xsmbench/hv/store/content"
)

// Build compiles and links the model, or finds it in the store.
func (t *Target) Build(ctx context.Context, b hv.Build, progress func(string)) (*hv.Image, error) {
	img, err := t.build(ctx, b, progress)
	if err != nil {
		return nil, fmt.Errorf("build %s: %w", label(b), err)
	}
	return img, nil
}

func (t *Target) build(ctx context.Context, b hv.Build, progress func(string)) (img *hv.Image, err error) {
	k, err := checked(b, t.Arches())
	if err != nil {
		return nil, err
	}
	from, err := t.sourceOf(ctx, b, progress)
	if err != nil {
		return nil, err
	}
	var policy string
	if b.Module == "" {
		if err := k.checkOptions(b); err != nil {
			return nil, err
		}
		if policy, err = t.insidePolicy(ctx, b, k); err != nil {
			return nil, err
		}
	}
	link, done, err := t.link(b, k)
	if err != nil {
		return nil, err
	}
	defer done()
	var r recipe
	err = gotool.Settle(labelled(b, progress), func() error {
		r, err = t.recipe(ctx, b, k, from, link)
		if err == nil {
			img, err = t.image(ctx, r, progress)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if b.Module != "" {
		if policy, err = t.outsidePolicy(ctx, r, img); err != nil {
			return nil, err
		}
	}
	img.Revision = from.revision
	if policy != "" {
		// The policy is part of what is measured.
		img.Policy = policy
		img.Hash = digest("image with policy", img.Hash, policy)
	}
	if b.Label != "" || b.Unknown != "" {
		img.Hash = digest("image with label", img.Hash, b.Label, b.Unknown)
	}
	if b.Options != nil {
		img.Hash = digest("image with options", img.Hash, commandLine(b))
	}
	return img, nil
}

// labelled says which build a line is about.
func labelled(b hv.Build, progress func(string)) func(string) {
	return func(s string) { progress(label(b) + ": " + s) }
}

// checked finds a build's kind, if the build can be made.
func checked(b hv.Build, arches []string) (kind, error) {
	k, err := kindOf(b)
	if err != nil {
		return kind{}, err
	}
	if _, ok := k.Reach(b.Dispatch); !ok {
		return kind{}, fmt.Errorf("kind %s has no dispatch %q", k.Name, b.Dispatch)
	}
	if !slices.Contains(arches, b.Arch) {
		return kind{}, fmt.Errorf("unknown architecture %q: the model has amd64 and 386", b.Arch)
	}
	if (b.Policy != "" || b.Label != "" || b.Unknown != "") && !k.Policy {
		return kind{}, fmt.Errorf("kind %s loads no policy", k.Name)
	}
	return k, nil
}

// recipe is a build with all that is needed to make it.
type recipe struct {
	build hv.Build
	kind  kind
	// dispatch says how hooks are reached.
	dispatch string
	tags     []string
	goTool   gotool.Tool
	inputs   *gotool.Inputs
}

// link finds a build's module, if it is from outside, and what will have the
// program import it. done removes what that needs.
func (t *Target) link(b hv.Build, k kind) (link func(*gotool.Tool) error, done func(), err error) {
	if b.Module == "" {
		return func(*gotool.Tool) error { return nil }, func() {}, nil
	}
	p, err := gotool.FindPackage(b.Module, tagsOf(k, b)...)
	if err != nil {
		return nil, nil, err
	}
	s, err := t.opened()
	if err != nil {
		return nil, nil, err
	}
	dir, done, err := s.Scratch("a workspace")
	return func(g *gotool.Tool) error { return g.Link(program, p, dir) }, done, err
}

func (t *Target) recipe(ctx context.Context, b hv.Build, k kind, from place, link func(*gotool.Tool) error) (recipe, error) {
	g, err := gotool.Find(from.dir, b.Arch)
	if err != nil {
		return recipe{}, err
	}
	g.Alone = from.kept
	if err := link(&g); err != nil {
		return recipe{}, err
	}
	tags := tagsOf(k, b)
	in, err := t.listInputs(ctx, g, inputsKey{g.Dir, g.Arch, strings.Join(tags, ","), b.Module})
	how, _ := k.Reach(b.Dispatch)
	return recipe{b, k, how, tags, g, in}, err
}

// inputsKey says whose inputs: the same tree has others under other tags, or with
// a module.
type inputsKey struct{ dir, arch, tags, module string }

// listInputs asks the go command what the program is made of, or takes the
// last answer if none of those files changed since.
func (t *Target) listInputs(ctx context.Context, g gotool.Tool, key inputsKey) (*gotool.Inputs, error) {
	t.mu.Lock()
	known := t.inputs[key]
	t.mu.Unlock()
	if known != nil && known.Current() {
		return known, nil
	}
	in, err := g.Inputs(ctx, program, key.tags)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	t.inputs[key] = in
	t.mu.Unlock()
	return in, nil
}

// program is what to make of the recipe.
func (r recipe) program() gotool.Program {
	p := r.plain()
	if r.build.Layout != 0 {
		p.Flags = append(p.Flags, "-ldflags=-randlayout="+strconv.Itoa(r.build.Layout))
	}
	return p
}

// plain is what the compiler sees, the same for all layouts.
func (r recipe) plain() gotool.Program {
	return gotool.Program{Package: program, Flags: []string{"-tags=" + strings.Join(r.tags, ",")}, Inputs: r.inputs}
}

// digest hashes the parts, each with its length.
func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// make builds the program into a folder. The first build of a source compiles
// it, alone; further layouts only link, several at a time.
func (t *Target) make(ctx context.Context, r recipe, dir string, progress func(string)) error {
	done, err := t.await(ctx, r.plain().Key(), progress)
	if err != nil {
		return err
	}
	start := time.Now()
	err = r.goTool.Compile(ctx, r.program(), filepath.Join(dir, binaryFile))
	done(err == nil)
	if err == nil && r.build.Module != "" {
		err = t.writeAbout(ctx, r, dir)
	}
	if err == nil {
		progress(fmt.Sprintf("built in %.1f s", time.Since(start).Seconds()))
	}
	return t.keepLog(ctx, r, err)
}

// await waits for the turn to compile a source or, if this process has compiled
// it, to link it. done ends the turn.
func (t *Target) await(ctx context.Context, source store.Key, progress func(string)) (done func(built bool), err error) {
	endCompiling, err := turn(ctx, t.compiling)
	if err != nil {
		return nil, err
	}
	if !t.compiled(source) {
		progress("compiling")
		return func(built bool) {
			if built {
				t.mu.Lock()
				t.fresh[source] = true
				t.mu.Unlock()
			}
			endCompiling()
		}, nil
	}
	endCompiling()
	endLinking, err := turn(ctx, t.linking)
	return func(bool) { endLinking() }, err
}

func (t *Target) compiled(source store.Key) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.fresh[source]
}

// turn waits for one of the places.
func turn(ctx context.Context, places chan struct{}) (end func(), err error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// describe fills in an image from its program.
func (r recipe) describe(path string) (*hv.Image, error) {
	hash, err := content.HashFile(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	sections, err := hv.Sections(path)
	if err != nil {
		return nil, err
	}
	return &hv.Image{
		Build:     r.build,
		Hash:      hash,
		Dispatch:  r.dispatch,
		Toolchain: r.inputs.Settings["GOVERSION"],
		Config:    r.config(),
		Path:      path,
		Size:      info.Size(),
		Sections:  sections,
	}, nil
}

// config names the tags and the settings that are not the default.
func (r recipe) config() string {
	parts := []string{cmp.Or(strings.Join(r.tags, ","), "none")}
	for _, k := range []string{"GOAMD64", "GO386", "GOEXPERIMENT", "GOFLAGS"} {
		if v := r.inputs.Settings[k]; v != "" {
			parts = append(parts, k+"="+v)
		}
	}
	return strings.Join(parts, " ")
}

// CompileError is a source tree that does not compile.
type CompileError struct {
	Build hv.Build
	First string // the compiler's first complaint
	Log   string // file with all of its output
}

// Error is one line.
func (e *CompileError) Error() string {
	s := "compile: " + e.First
	if e.Log != "" {
		s += " (all of the compiler's output: " + e.Log + ")"
	}
	return s
}

// keepLog keeps a compiler's output where the user can read it. Other errors
// are as they are.
func (t *Target) keepLog(ctx context.Context, r recipe, err error) error {
	var failed *gotool.CompileError
	if !errors.As(err, &failed) {
		return err
	}
	e := &CompileError{Build: r.build, First: failed.First}
	log, err := t.get(ctx, logs, store.KeyOf(string(r.program().Key()), string(failed.Log)), store.Recipe{
		What: "the compiler's output",
		Make: func(_ context.Context, dir string) error {
			return os.WriteFile(filepath.Join(dir, logFile), failed.Log, 0o644)
		},
	})
	if err == nil { // else its first line must do
		e.Log = log.Path(logFile)
	}
	return e
}
