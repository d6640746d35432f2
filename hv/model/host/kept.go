package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"xsmbench/hv"
	"xsmbench/hv/policy"
	"xsmbench/hv/store"
	"xsmbench/xsm"
)

// What the model keeps in the store.
var (
	images = store.Register(store.Kind{
		Name: "model-images", Doc: "the model's programs", Bound: 2 << 30,
	})
	sources = store.Register(store.Kind{
		Name: "model-sources", Doc: "revisions of this program's source, which the model is built from", Bound: 500 << 20,
		Local: "git has them where they are asked for",
	})
	logs = store.Register(store.Kind{
		Name: "model-logs", Doc: "the compiler's output of programs of the model that did not compile", Bound: 10 << 20,
		Local: "they are for who reads them now",
	})
)

// Files of entries.
const (
	binaryFile = "xsmmodel"
	logFile    = "compile.log"
)

// get makes an entry, or finds it, and holds it.
func (t *Target) get(ctx context.Context, k store.Kind, key store.Key, r store.Recipe) (*store.Entry, error) {
	s, err := t.opened()
	if err != nil {
		return nil, err
	}
	e, err := s.Get(ctx, k, key, r)
	if err != nil {
		return nil, err
	}
	t.hold(e)
	return e, nil
}

// hold keeps an entry in use until this process ends: a run boots what it built
// long before.
func (t *Target) hold(e *store.Entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if before := t.held[e.Dir]; before != nil {
		before.Release()
	}
	t.held[e.Dir] = e
}

// image makes a program, or finds it.
func (t *Target) image(ctx context.Context, r recipe, progress func(string)) (*hv.Image, error) {
	e, err := t.get(ctx, images, r.program().Key(), store.Recipe{
		What: fmt.Sprintf("the model's %s (%s)", label(r.build), r.build.Arch), Progress: progress,
		Make: func(ctx context.Context, dir string) error { return t.make(ctx, r, dir, labelled(r.build, progress)) },
	})
	if err != nil {
		return nil, err
	}
	img, err := r.describe(e.Path(binaryFile))
	if err != nil {
		return nil, err
	}
	if r.build.Module != "" {
		about, err := readAbout(e.Path(aboutFile))
		if err != nil {
			return nil, err
		}
		k := registered(about)
		img.Module = &k
	}
	img.Cached = !e.Made
	return img, nil
}

// insidePolicy keeps a build's policy that the module, which is in this program,
// finds good; it returns the hash, "" if the build has none.
func (t *Target) insidePolicy(ctx context.Context, b hv.Build, k kind) (string, error) {
	if b.Policy == "" {
		return "", nil
	}
	format := k.module.Policy
	return t.keepPolicy(ctx, b, format.Magic, func(policy []byte) (err error) {
		if format.Check != nil {
			_, err = format.Check(policy, xsm.PolicyOptions{Unknown: b.Unknown, Label: b.Label})
		}
		return err
	})
}

// outsidePolicy does the same for a module from outside, whose program must be
// asked. The image's kind becomes what the module is with the build's options.
func (t *Target) outsidePolicy(ctx context.Context, r recipe, img *hv.Image) (string, error) {
	b := r.build
	about, err := readAbout(filepath.Join(filepath.Dir(img.Path), aboutFile))
	if err != nil {
		return "", err
	}
	args := securityArguments(b, b.Policy)
	switch {
	case len(args) == 0:
		return "", nil
	case about.Policy == nil && secures(b):
		return "", fmt.Errorf("module %s loads no policy", about.Name)
	}
	if err := checkOptions(about, b.Options); err != nil {
		return "", err
	}
	text, err := t.ask(ctx, r.goTool, img.Path, args...)
	if err == nil {
		about, err = parseAbout(text)
	}
	if err != nil {
		return "", err
	}
	k := registered(about)
	img.Module = &k
	if err := checkMode(b, k); err != nil || b.Policy == "" {
		return "", err
	}
	return t.keepPolicy(ctx, b, about.Policy.Magic, func([]byte) error { return nil })
}

// keepPolicy checks a policy and copies it into the store; it returns the policy's
// hash.
func (t *Target) keepPolicy(ctx context.Context, b hv.Build, magic uint32, check func(policy []byte) error) (string, error) {
	s, err := t.opened()
	if err != nil {
		return "", err
	}
	k, err := policy.Keep(ctx, s, b.Policy, magic, check)
	if err != nil {
		return "", err
	}
	t.hold(k.Entry)
	return k.Hash, nil
}

// policy finds a policy that was kept.
func (t *Target) policy(hash string) (string, error) {
	s, err := t.opened()
	if err != nil {
		return "", err
	}
	k, err := policy.Find(s, hash)
	if err != nil {
		return "", err
	}
	t.hold(k.Entry)
	return k.Path(), nil
}

// errUnreadable is a policy that a module from outside carries.
var errUnreadable = errors.New("the module does not say where its program holds its own policy")

// policyText is what an image enforces.
func (t *Target) policyText(img *hv.Image) ([]byte, error) {
	if img.Policy == "" {
		k, err := kindOf(img.Build)
		if err == nil && (k.module == nil || k.module.Policy == nil || k.module.Policy.Symbol == "") {
			err = errUnreadable
		}
		if err != nil {
			return nil, err
		}
		return policy.Variable(img.Path, k.module.Policy.Symbol)
	}
	path, err := t.policy(img.Policy)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// ComparePolicies compares what two images enforce.
func (t *Target) ComparePolicies(_ context.Context, before, after *hv.Image) hv.PolicyChange {
	return policy.Of(before, after, t.policyText)
}
