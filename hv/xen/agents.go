package xen

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"xsmbench/hv/count/mark"
	"xsmbench/hv/count/window"
	"xsmbench/hv/gotool"
	"xsmbench/hv/store"
	"xsmbench/hv/xen/domain/native"
	"xsmbench/hv/xen/image"
	"xsmbench/hv/xen/protocol"
)

// agentProgram is the agent's package in xsmbench's source tree.
const agentProgram = "cmd/xsmguest"

// domainNames are the domains that measure.
var domainNames = []string{"dom0", "domU"}

// programs are a domain's own: the agent, stripped, and the native loops in their
// images, linked at its bases.
type programs struct{ agent, native, ipc, dynamic []byte }

// agents are the programs of both domains and their tables of marks.
type agents struct {
	programs map[string]programs
	marks    []window.Marks
}

// agents builds the domains' programs, or finds them, once in this process for
// each architecture.
func (t *Target) agents(ctx context.Context, arch string, progress func(string)) (*agents, error) {
	return t.built.get(ctx, arch, func(ctx context.Context) (*agents, error) {
		a, err := t.buildAgents(ctx, arch, progress)
		if err != nil {
			return nil, fmt.Errorf("build the agent: %w", err)
		}
		return a, nil
	})
}

// guestAgents are the agents of both domains. The native loops are not among
// them: this program makes them faster than it reads them.
var guestAgents = store.Register(store.Kind{
	Name: "guest-agents", Doc: "the agents that measure in dom0 and in domUs", Bound: 100 << 20,
})

func (t *Target) buildAgents(ctx context.Context, arch string, progress func(string)) (*agents, error) {
	s, err := t.store()
	if err != nil {
		return nil, err
	}
	tree, done, err := t.agentSource(ctx, s, progress)
	if err != nil {
		return nil, err
	}
	defer done()
	tool, err := gotool.Find(tree, arch)
	if err != nil {
		return nil, err
	}
	tool.Alone = true
	var a *agents
	err = gotool.Settle(func(s string) { progress("agent: " + s) }, func() error {
		a, err = findAgents(ctx, s, tool, progress)
		return err
	})
	return a, err
}

// ownSource is the tree that the agents are built from until done is called. It
// is always the source that this program carries with it, whatever clone the
// user is in: host and guests speak one protocol.
func ownSource(ctx context.Context, s *store.Store, progress func(string)) (dir string, done func(), err error) {
	e, err := gotool.Own(ctx, s, progress)
	if err != nil {
		return "", nil, err
	}
	return e.Dir, func() { e.Release() }, nil
}

// findAgents builds the agents of what the source is now, or finds them.
func findAgents(ctx context.Context, s *store.Store, tool gotool.Tool, progress func(string)) (*agents, error) {
	in, err := tool.Inputs(ctx, agentProgram, "")
	if err != nil {
		return nil, err
	}
	var parts []string
	for _, name := range domainNames {
		parts = append(parts, name, string(agentOf(name, in).Key()))
	}
	entry, err := s.Get(ctx, guestAgents, store.KeyOf(parts...), store.Recipe{
		What: "the domains' agents", Progress: progress,
		Make: func(ctx context.Context, dir string) error {
			progress("agent: building")
			return compileAgents(ctx, tool, in, dir)
		},
	})
	if err != nil {
		return nil, err
	}
	defer entry.Release() // they are read
	return readAgents(entry)
}

// agentOf is a domain's agent, which is linked at its base.
func agentOf(domain string, in *gotool.Inputs) gotool.Program {
	base := fmt.Sprintf("-ldflags=-T=%#x", protocol.BasesOf(domain).Agent)
	return gotool.Program{Package: agentProgram, Flags: []string{base}, Inputs: in}
}

// compileAgents makes a file for each domain.
func compileAgents(ctx context.Context, tool gotool.Tool, in *gotool.Inputs, dir string) error {
	for _, name := range domainNames {
		if err := tool.Compile(ctx, agentOf(name, in), filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// readAgents reads what compileAgents made, and adds the native loops.
func readAgents(entry *store.Entry) (*agents, error) {
	a := &agents{programs: map[string]programs{}}
	for _, name := range domainNames {
		agent, err := os.ReadFile(entry.Path(name))
		if err != nil {
			return nil, err
		}
		bases := protocol.BasesOf(name)
		loops, err := native.Image(bases.Native)
		if err != nil {
			return nil, err
		}
		ipc, err := native.IPC(bases.IPC)
		if err != nil {
			return nil, err
		}
		dynamic, err := native.Dynamic(bases.Dynamic)
		if err != nil {
			return nil, err
		}
		var tables []mark.Table
		for _, program := range [][]byte{agent, loops, ipc} {
			table, err := mark.Find(bytes.NewReader(program))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			tables = append(tables, table)
		}
		for _, table := range append(tables, native.DynamicMarks(bases.Dynamic)) {
			a.marks = append(a.marks, window.Marks{Domain: name, Base: table.Base, Slots: table.Slots})
		}
		stripped, err := image.Strip(agent)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		a.programs[name] = programs{stripped, loops, ipc, dynamic}
	}
	return a, nil
}
