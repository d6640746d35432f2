package xen

import (
	"sync"

	"xsmbench/hv/store"
	"xsmbench/hv/xen/kbuild"
)

// held are the builds that this process uses, and their policies.
type held struct {
	mu       sync.Mutex
	products []*kbuild.Product
	policies map[string]*store.Entry // by their folders
}

func (h *held) holdEntry(e *store.Entry) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.policies == nil {
		h.policies = map[string]*store.Entry{}
	}
	if before := h.policies[e.Dir]; before != nil {
		before.Release()
	}
	h.policies[e.Dir] = e
}

func (h *held) hold(p *kbuild.Product) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.products = append(h.products, p)
}

// Forget gives back the builds, their policies, the trees that they were made from, and the maps
// of their code. What the guests are made of is the same for all builds, and stays.
func (t *Target) Forget() {
	for _, tree := range t.trees.forget() {
		tree.Release()
	}
	for _, m := range t.maps.forget() {
		m.release()
	}
	t.held.mu.Lock()
	defer t.held.mu.Unlock()
	for _, p := range t.held.products {
		p.Release()
	}
	t.held.products = nil
	for _, e := range t.held.policies {
		e.Release()
	}
	t.held.policies = nil
}
