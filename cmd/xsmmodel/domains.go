package main

import (
	"bytes"
	"fmt"
	"strings"

	"xsmbench/abi"
	"xsmbench/bench"
	"xsmbench/bench/agent"
	"xsmbench/bench/wire"
	"xsmbench/hv/model"
	"xsmbench/hv/model/guest"
	"xsmbench/hv/model/toolstack"
	"xsmbench/workloads"
)

// startWord is what dom0 types on domU's console when it is domU's turn.
const startWord = "measure\n"

// dom0 is the first process of dom0: it has domU built and idle while it
// measures, then lets it measure, and destroys it.
func (b *boot) dom0(c *guest.Control) int {
	if err := b.control(c); err != nil {
		b.cause.Store(&err)
		c.Printf("dom0: %v\n", err)
		return 1
	}
	return 0
}

func (b *boot) control(c *guest.Control) error {
	if err := b.kind.check(b.sec.mode); err != nil {
		return err
	}
	ts := toolstack.New(c)
	virq, err := ts.BindVIRQ(abi.VIRQDomExc)
	if err != nil {
		return err
	}
	died := c.Listen(virq, nil)
	var guests []*domU
	for i := range b.domUs {
		g, err := b.build(c, ts, i, died)
		if err != nil {
			return err
		}
		guests = append(guests, g)
	}
	if b.measures(dom0Name) {
		if err := b.measure(c, dom0Name); err != nil {
			return err
		}
	}
	for i, g := range guests {
		if err := g.finish(died, i == 0 && b.measures(domUName)); err != nil {
			return err
		}
	}
	return nil
}

// measure runs a domain's part of the plan.
func (b *boot) measure(c *guest.Control, name string) error {
	w := wire.NewWriter(b.results)
	if err := w.Hello(wire.Hello{Domain: name, Build: b.kind.name, Plan: b.plan.Hash(), Benchmarks: len(b.plan.Benchmarks)}); err != nil {
		return err
	}
	if err := b.runAgent(c, name, w); err != nil {
		return fmt.Errorf("%w (reported: %v)", err, w.Failure(err) == nil)
	}
	return w.End()
}

// runAgent measures: in windows that are marked, or by the clock.
func (b *boot) runAgent(c *guest.Control, name string, w *wire.Writer) error {
	load, err := workloads.Find(b.plan.Workload)
	if err != nil {
		return err
	}
	config := agent.Config{Domain: name, Plan: b.plan, Workload: load.Start, Between: b.between}
	if b.plan.Options.Windows == 0 {
		return agent.Run(c, config, w)
	}
	m, err := newMarker(w, c, b.plan, name)
	if err != nil {
		return err
	}
	return agent.Run(m.to, config, m)
}

// domU is a domain that dom0 has built, and what dom0 keeps of it.
type domU struct {
	*toolstack.Domain
	ts      *toolstack.Toolstack
	c       *guest.Control
	console *guest.Event
	ring    guest.ConsoleRing
	ringVA  uint64
	line    []byte // of console output, not yet complete
	ports   []abi.Port
	grant   abi.GrantRef // of the page that dom0 grants it
}

// build builds and starts a domain and waits until it is ready. died is the
// event that some domain has shut down.
func (b *boot) build(c *guest.Control, ts *toolstack.Toolstack, index int, died *guest.Event) (*domU, error) {
	_, entry, err := model.LookupKernel(b.image)
	if err != nil {
		return nil, err
	}
	grant := abi.GrantRef(abi.GnttabNrReserved + index)
	role := "idle"
	if index == 0 {
		role = "measure"
	}
	d, err := ts.Create(toolstack.Spec{
		Name: fmt.Sprintf("%s-%d", domUName, index+1), Frames: domUFrames, VCPUs: 1, Weight: 256,
		Kernel:  toolstack.Image{Data: b.image, Entry: entry},
		CmdLine: fmt.Sprintf("console=hvc0 peer-grant=%d role=%s", grant, role),
		Label:   b.sec.label,
	})
	if err != nil {
		return nil, err
	}
	g := &domU{Domain: d, ts: ts, c: c, grant: grant}
	if got, err := c.GrantPage(d.ID); err != nil || got != grant {
		return nil, fmt.Errorf("grant a page to domain %d: reference %d, want %d: %v", d.ID, got, grant, err)
	}
	ready, err := g.connect()
	if err != nil {
		return nil, err
	}
	if err := ts.Unpause(d); err != nil {
		return nil, err
	}
	if err := g.waitReady(ready, died); err != nil {
		return nil, err
	}
	// From here on the port is the benchmarks': its events go unheard.
	ready.Ignore()
	if index == 0 {
		c.SetPeer(bench.Peer{Dom: d.ID, Grant: abi.GnttabNrReserved, Port: g.ports[0]})
	}
	return g, nil
}

// waitReady waits until the domain says that it is up. It may never be: one
// that shuts down before is an error.
func (g *domU) waitReady(ready, died *guest.Event) error {
	for g.c.WaitAny(ready, died) != ready {
		down, reason, err := g.ts.ShutDown(g.Domain)
		if err != nil {
			return err
		}
		if down {
			g.forward()
			return fmt.Errorf("domain %d shut down for reason %d before it was up", g.ID, reason)
		}
	}
	return nil
}

// connect binds the domain's channels and maps its console. It returns the
// event by which the domain says that it is up.
func (g *domU) connect() (ready *guest.Event, err error) {
	for _, remote := range []abi.Port{g.Store, g.Console} {
		port, err := g.ts.Bind(g.Domain, remote)
		if err != nil {
			return nil, err
		}
		g.ports = append(g.ports, port)
	}
	if g.ringVA, err = g.c.MapFrames(g.ID, []abi.MFN{g.ConsoleMFN}); err != nil {
		return nil, err
	}
	g.ring = guest.NewConsoleRing(g.c.Page(g.ringVA))
	g.console = g.c.Listen(g.ports[1], g.forward)
	return g.c.Listen(g.ports[0], nil), nil
}

// forward prints what the domain has printed, line by line, and lets it know
// that there is room again.
func (g *domU) forward() {
	g.line = append(g.line, g.ring.Output()...)
	for {
		line, rest, ok := bytes.Cut(g.line, []byte("\n"))
		if !ok {
			return
		}
		g.c.Printf("(d%d) %s\n", g.ID, line)
		g.line = append(g.line[:0], rest...)
	}
}

// finish lets the domain end, having measured first if it is to, and destroys
// it.
func (g *domU) finish(died *guest.Event, measure bool) error {
	word := startWord
	if !measure {
		word = "halt\n"
	}
	g.ring.Input([]byte(word))
	if err := g.console.Notify(); err != nil {
		return err
	}
	for {
		down, reason, err := g.ts.ShutDown(g.Domain)
		if err != nil {
			return err
		}
		if !down {
			died.Wait()
			continue
		}
		g.forward()
		if err := g.destroy(); err != nil {
			return err
		}
		if reason != abi.ShutdownPoweroff {
			return fmt.Errorf("domain %d shut down for reason %d", g.ID, reason)
		}
		return nil
	}
}

// destroy lets go of the domain and frees it.
func (g *domU) destroy() error {
	g.console.Ignore()
	g.c.UnmapFrames(g.ringVA, 1)
	for _, p := range g.ports {
		if err := g.ts.Close(p); err != nil {
			return err
		}
	}
	if err := g.ts.Destroy(g.Domain); err != nil {
		return err
	}
	if !g.c.EndGrant(g.grant) {
		return fmt.Errorf("destroy domain %d: its page of dom0's is still in use", g.ID)
	}
	return nil
}

// domU is the first process of a domU: it offers dom0 what dom0 offers it, and
// waits for its turn.
func (b *boot) domU(c *guest.Control) int {
	si := c.StartInfo()
	ref, err := c.GrantPage(0)
	if err != nil || ref != abi.GnttabNrReserved {
		c.Printf("domU: grant a page to dom0: reference %d, %v\n", ref, err)
		return 1
	}
	c.SetPeer(bench.Peer{Dom: 0, Grant: peerGrant(si.CmdLine), Port: si.StoreEvtchn})
	if err := c.NotifyPort(si.StoreEvtchn); err != nil {
		c.Printf("domU: %v\n", err)
		return 1
	}
	word, err := readLine(c.OS())
	if err != nil {
		c.Printf("domU: read console: %v\n", err)
		return 1
	}
	if word == strings.TrimSuffix(startWord, "\n") {
		if err := b.measure(c, domUName); err != nil {
			c.Printf("domU: %v\n", err)
			return 1
		}
	}
	return 0
}

// peerGrant is the reference of the page that dom0 granted.
func peerGrant(cmdLine string) abi.GrantRef {
	for word := range strings.FieldsSeq(cmdLine) {
		var ref abi.GrantRef
		if _, err := fmt.Sscanf(word, "peer-grant=%d", &ref); err == nil {
			return ref
		}
	}
	return abi.GnttabNrReserved
}

// readLine reads a line from the console.
func readLine(os bench.OS) (string, error) {
	fd, err := os.Open("/dev/console", bench.O_RDONLY)
	if err != nil {
		return "", err
	}
	defer os.Close(fd)
	var line []byte
	buf := make([]byte, 1)
	for {
		n, err := os.Read(fd, buf)
		if err != nil || n == 0 {
			return string(line), err
		}
		if buf[0] == '\n' {
			return string(line), nil
		}
		line = append(line, buf[0])
	}
}
