package xen

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"xsmbench/hv"
	"xsmbench/hv/store"
	"xsmbench/hv/xen/domain/hypercall"
	"xsmbench/hv/xen/headers"
	"xsmbench/hv/xen/source"
)

// surroundings are what a start depends on of a source tree besides the image
// that was built from it.
type surroundings struct {
	tools *toolstack           // may be missing: dom0 then runs alone
	iface *hypercall.Interface // as the agents read it
	// lazyFPU says that Xen may switch the FPU's state when a vCPU first uses it.
	lazyFPU bool
	// enforceLate says that FLASK's policy denies xenstored, in dom0, what it asks
	// for at its start.
	enforceLate bool
}

// surroundingsOf finds out what goes with a tree.
func (t *Target) surroundingsOf(ctx context.Context, tree *source.Tree, from hv.Packages, progress func(string)) (*surroundings, error) {
	s, err := t.store()
	if err != nil {
		return nil, err
	}
	f := &surroundings{
		lazyFPU:     has(tree, "xen/arch/x86/spec_ctrl.c", eagerFPU),
		enforceLate: enforcesLate(tree),
	}
	if f.iface, err = headers.Read(ctx, s, tree); err != nil {
		return nil, err
	}
	f.tools, err = t.toolstackFor(ctx, tree, f.iface, from, progress)
	return f, err
}

var (
	eagerFPU = regexp.MustCompile(`"eager-fpu"`)
	// From 4.21 on xenstored asks for the state of all domains at its start. The
	// shipped policy lets it in a domain of its own (xenstore_t), not in dom0.
	domainState        = regexp.MustCompile(`(?m)^\s*get_domain_state\s*$`)
	domainStateAllowed = regexp.MustCompile(`\bdom0_t\s+domxen_t:domain2\b[^;]*\bget_domain_state\b`)
)

func enforcesLate(tree *source.Tree) bool {
	return has(tree, "xen/xsm/flask/policy/access_vectors", domainState) && !has(tree, "tools/flask/policy/modules/dom0.te", domainStateAllowed)
}

// has looks for something in a file of a tree.
func has(tree *source.Tree, name string, what *regexp.Regexp) bool {
	text, err := os.ReadFile(filepath.Join(tree.Dir, filepath.FromSlash(name)))
	return err == nil && what.Match(text)
}

// builtImages keeps the surroundings of the images of this process.
type builtImages struct {
	mu  sync.Mutex
	all map[string]*surroundings
}

// imageKey names an image: the same bits may come from trees with different tools.
func imageKey(img *hv.Image) string { return img.Build.Name + " " + img.Hash }

func (b *builtImages) put(img *hv.Image, s *surroundings) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all == nil {
		b.all = map[string]*surroundings{}
	}
	b.all[imageKey(img)] = s
}

func (b *builtImages) get(img *hv.Image) (*surroundings, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.all[imageKey(img)]; s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("the image %s was not built in this process", img.Build.Name)
}

// id names what of the surroundings is in the guests' initial file systems.
func (s *surroundings) id() string {
	return string(store.KeyOf("guests", string(s.tools.key), string(s.iface.Encode())))
}

// fixedOptions are those of Xen's that all machines have.
func fixedOptions() []string {
	return []string{
		"console=com1", "com1=115200,8n1",
		fmt.Sprintf("dom0_mem=%dM,max:%dM", dom0Memory, dom0Memory+dom0Spare), "dom0_max_vcpus=1",
	}
}

// late tells whether a module gets into a mode only when xenstored has started.
func (s *surroundings) late(m mode) bool { return s.enforceLate && m.until != "" }

// commandLine are Xen's options. A build's come after those that it must not change,
// which CheckOptions refuses, and before the one that adds to an earlier of its name.
func (s *surroundings) commandLine(b hv.Build, of shape) string {
	words := slices.Concat(fixedOptions(), of.smpOptions(), s.modeOptions(b))
	k, _ := kindOf(b) // of which it was built
	for _, o := range b.Options {
		if hv.OptionName(o) != k.option {
			words = append(words, o)
		}
	}
	// Switched lazily, the state of the FPU gets lost at times, since TCG executes
	// XSAVE and XRSTOR while CR0.TS is set: domU's agent then ends with a bad pointer
	// in a comparison of strings (with FLASK, 3 of 5 resumes of one snapshot of 4.17;
	// none of 6 with this).
	if s.lazyFPU {
		words = append(words, speculation+"="+eagerSwitch)
	}
	return strings.Join(words, " ")
}

// modeOptions tell the modules their modes. All machines have them: who lacks a module
// does not read its option.
func (s *surroundings) modeOptions(b hv.Build) []string {
	var words []string
	for _, k := range kinds() {
		if k.option == "" {
			continue
		}
		m := k.modes[0]
		if k.Name == b.KindOf() {
			m = k.mode(b.Options)
		}
		value := m.value
		if s.late(m) {
			value = m.until
		}
		words = append(words, k.option+"="+value)
	}
	return words
}
