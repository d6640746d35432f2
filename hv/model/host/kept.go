package host

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"xsmbench/hv"
	"xsmbench/hv/store"
	"xsmbench/xsm/flask/policydb"
)

// What the model keeps in the store.
var (
	images = store.Register(store.Kind{
		Name: "model-images", Doc: "the model's programs", Bound: 2 << 30,
	})
	sources = store.Register(store.Kind{
		Name: "model-sources", Doc: "revisions of this program's source, which the model is built from", Bound: 500 << 20,
	})
	policies = store.Register(store.Kind{
		Name: "model-policies", Doc: "policies that the model's FLASK loads", Bound: 100 << 20,
	})
	logs = store.Register(store.Kind{
		Name: "model-logs", Doc: "the compiler's output of programs of the model that did not compile", Bound: 10 << 20,
	})
)

// Files of entries.
const (
	binaryFile = "xsmmodel"
	policyFile = "policy"
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
	img.Cached = !e.Made
	return img, nil
}

// keepPolicy checks a policy and copies it into the store, so that it cannot
// change during a run; it returns the policy's hash, which is its key.
func (t *Target) keepPolicy(ctx context.Context, path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("policy: %w", err)
	}
	if _, err := policydb.Read(text); err != nil {
		return "", fmt.Errorf("policy %s: %w", path, err)
	}
	sum := sha256.Sum256(text)
	hash := hex.EncodeToString(sum[:])
	_, err = t.get(ctx, policies, store.Key(hash), store.Recipe{What: "policy " + path, Make: func(_ context.Context, dir string) error {
		return os.WriteFile(filepath.Join(dir, policyFile), text, 0o644)
	}})
	return hash, err
}

// policy finds a policy that was kept.
func (t *Target) policy(hash string) (string, error) {
	s, err := t.opened()
	if err != nil {
		return "", err
	}
	e, err := s.Lookup(policies, store.Key(hash))
	if err != nil {
		return "", fmt.Errorf("find policy %s: %w", hash, err)
	}
	t.hold(e)
	return e.Path(policyFile), nil
}
