package host

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/renameio/v2"

	"xsmbench/hv"
	"xsmbench/hv/gotool"
	"xsmbench/xsm/flask/policydb"
)

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

// Build compiles and links the model, or finds it in the cache.
func (t *Target) Build(ctx context.Context, b hv.Build, progress func(string)) (*hv.Image, error) {
	img, err := t.build(ctx, b, progress)
	if err != nil {
		return nil, fmt.Errorf("build %s: %w", label(b), err)
	}
	return img, nil
}

func (t *Target) build(ctx context.Context, b hv.Build, progress func(string)) (*hv.Image, error) {
	r, err := t.recipe(ctx, b)
	if err != nil {
		return nil, err
	}
	var policy string
	if b.Policy != "" {
		if policy, err = r.cache.keepPolicy(b.Policy); err != nil {
			return nil, err
		}
	}
	img, ok := r.cache.load(r.key())
	if !ok {
		if err := t.make(ctx, r, progress); err != nil {
			return nil, err
		}
		if img, ok = r.cache.load(r.key()); !ok {
			return nil, errors.New("the program vanished from the cache")
		}
		img.Cached = false
	}
	img.Build = b
	if policy != "" {
		// The policy is part of what is measured.
		img.Policy = policy
		img.Hash = digest("image with policy", img.Hash, policy)
	}
	return img, nil
}

// recipe is a build with all that is needed to make it.
type recipe struct {
	build  hv.Build
	kind   kind
	tags   []string
	goTool gotool.Tool
	inputs *inputs
	cache  cache
}

func (t *Target) recipe(ctx context.Context, b hv.Build) (recipe, error) {
	k, err := findKind(b.KindOf())
	if err != nil {
		return recipe{}, err
	}
	if !slices.Contains(t.Arches(), b.Arch) {
		return recipe{}, fmt.Errorf("unknown architecture %q: the model has amd64 and 386", b.Arch)
	}
	if b.Policy != "" && !k.Policy {
		return recipe{}, fmt.Errorf("kind %s loads no policy", k.Name)
	}
	dir, err := sourceTree(b)
	if err != nil {
		return recipe{}, err
	}
	c, err := openCache()
	if err != nil {
		return recipe{}, err
	}
	if b.Rev != "" {
		if dir, err = c.checkout(ctx, dir, b.Rev); err != nil {
			return recipe{}, err
		}
	}
	g, err := gotool.Find(dir, b.Arch)
	if err != nil {
		return recipe{}, err
	}
	tags := tagsOf(k, b)
	in, err := t.listInputs(ctx, g, strings.Join(tags, ","))
	if err != nil {
		return recipe{}, err
	}
	return recipe{b, k, tags, g, in, c}, nil
}

// source is the digest of what the compiler sees, the same for all layouts.
func (r recipe) source() string {
	return digest("source", r.inputs.digest, strings.Join(r.tags, ","), r.build.Arch)
}

// key is the image's name in the cache.
func (r recipe) key() string {
	return digest("image", r.source(), strings.Join(r.flags(), " "))
}

func (r recipe) flags() []string {
	flags := []string{"-trimpath", "-buildvcs=false", "-tags=" + strings.Join(r.tags, ",")}
	if r.build.Layout != 0 {
		flags = append(flags, "-ldflags=-randlayout="+strconv.Itoa(r.build.Layout))
	}
	return flags
}

func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// make builds the program into the cache. The first build of a source
// compiles it, alone; further layouts only link, several at a time.
func (t *Target) make(ctx context.Context, r recipe, progress func(string)) error {
	t.compiling.Lock()
	if ctx.Err() != nil {
		t.compiling.Unlock()
		return context.Cause(ctx)
	}
	t.mu.Lock()
	compiled := t.fresh[r.source()]
	t.mu.Unlock()
	if !compiled {
		defer t.compiling.Unlock()
		progress(label(r.build) + ": compiling")
		err := r.make(ctx, progress)
		if err == nil {
			t.mu.Lock()
			t.fresh[r.source()] = true
			t.mu.Unlock()
		}
		return err
	}
	t.compiling.Unlock()
	select {
	case t.linking <- struct{}{}:
		defer func() { <-t.linking }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return r.make(ctx, progress)
}

func (r recipe) make(ctx context.Context, progress func(string)) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	start := time.Now()
	err := r.cache.publish(r.cache.folder(r.key()), func(tmp string) error {
		path := filepath.Join(tmp, binaryFile)
		if err := r.compile(ctx, path); err != nil {
			return err
		}
		// What was hashed must be what was compiled.
		if d, err := r.inputs.sum(); err != nil || d != r.inputs.digest {
			return errors.New("the source changed while it was compiled: try again")
		}
		img, err := r.describe(path)
		if err != nil {
			return err
		}
		text, err := json.MarshalIndent(img, "", "  ")
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(tmp, imageFile), text, 0o666)
	})
	if err == nil {
		progress(fmt.Sprintf("%s: built in %.1f s", label(r.build), time.Since(start).Seconds()))
		r.cache.prune(time.Now())
	}
	return err
}

func (r recipe) compile(ctx context.Context, path string) error {
	args := append([]string{"build", "-o", path}, r.flags()...)
	cmd := r.goTool.Command(ctx, append(args, "./"+program)...)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	err := cmd.Run()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	e := &CompileError{Build: r.build, First: gotool.FirstError(log.String())}
	if e.First == "" {
		e.First = err.Error()
	}
	logPath := filepath.Join(r.cache.dir, "logs", r.key()[:16]+".log")
	if os.WriteFile(logPath, log.Bytes(), 0o666) == nil {
		e.Log = logPath
	}
	return e
}

// describe fills in an image from its program.
func (r recipe) describe(path string) (*hv.Image, error) {
	hash, err := hashFile(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	sections, err := sectionSizes(path)
	if err != nil {
		return nil, err
	}
	return &hv.Image{
		Build:     r.build,
		Hash:      hash,
		Dispatch:  r.kind.Dispatch,
		Toolchain: r.inputs.settings["GOVERSION"],
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
		if v := r.inputs.settings[k]; v != "" {
			parts = append(parts, k+"="+v)
		}
	}
	return strings.Join(parts, " ")
}

// sectionSizes reads the sections that are loaded at run time; a program
// that is not ELF has none here.
func sectionSizes(path string) (map[string]int64, error) {
	f, err := elf.Open(path)
	var format *elf.FormatError
	if errors.As(err, &format) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read sections: %w", err)
	}
	defer f.Close()
	sizes := map[string]int64{}
	for _, s := range f.Sections {
		if s.Flags&elf.SHF_ALLOC != 0 {
			sizes[s.Name] = int64(s.Size)
		}
	}
	return sizes, nil
}

// keepPolicy checks a policy and copies it into the cache, so that it cannot
// change during a run; it returns the policy's hash.
func (c cache) keepPolicy(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("policy: %w", err)
	}
	if _, err := policydb.Read(text); err != nil {
		return "", fmt.Errorf("policy %s: %w", path, err)
	}
	sum := sha256.Sum256(text)
	hash := hex.EncodeToString(sum[:])
	if old, err := hashFile(c.policy(hash)); err == nil && old == hash {
		return hash, nil
	}
	if err := renameio.WriteFile(c.policy(hash), text, 0o666); err != nil {
		return "", fmt.Errorf("keep policy: %w", err)
	}
	return hash, nil
}

func (c cache) policy(hash string) string { return filepath.Join(c.dir, "policies", hash) }
