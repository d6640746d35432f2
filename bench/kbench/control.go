package kbench

import (
	"fmt"

	"xsmbench/abi"
	"xsmbench/bench"
)

// registerConsole registers console_io.
func registerConsole() {
	hypercall{
		op: "console_io", doc: "write nothing to the console",
		source: "drivers/char/console.c:do_console_io", hooks: crosses("console_io"), dom0: true,
		ready: func(bench.Hypercalls) ([]step, func(), error) {
			args := &abi.Args{R: [4]uint64{abi.CONSOLEIOWrite}, H: &abi.ConsoleBuf{}}
			return []step{zero("write to console", abi.ConsoleIO, args)}, nil, nil
		},
	}.register()
}

// registerControl registers what only dom0 may do: domctl and sysctl.
func registerControl() {
	hypercall{
		op: "domctl_getdomaininfo", doc: "read dom0's own state",
		source: "common/domctl.c:do_domctl", hooks: crosses("getdomaininfo", "security_domaininfo"), dom0: true,
		ready: func(hc bench.Hypercalls) ([]step, func(), error) {
			return []step{domctl("read domain", abi.DomctlGetDomainInfo, hc.DomID())}, nil, nil
		},
	}.register()
	hypercall{
		op: "domctl_pause_unpause", doc: "pause the other domain and unpause it: two hypercalls",
		source: "common/domctl.c:do_domctl", hooks: crosses("pausedomain", "unpausedomain"), dom0: true, peer: true,
		ready: pauseAndUnpause,
	}.register()
	hypercall{
		op: "sysctl_physinfo", doc: "read the machine's memory and processors",
		source: "arch/x86/sysctl.c:arch_do_sysctl", hooks: crosses("physinfo"), dom0: true,
		ready: func(bench.Hypercalls) ([]step, func(), error) {
			return []step{zero("read machine", abi.SysctlOp, sysctl(&abi.Sysctl{Cmd: abi.SysctlPhysInfo}))}, nil, nil
		},
	}.register()
	hypercall{
		op: "sysctl_sched_id", doc: "query which scheduler runs",
		source: "common/sysctl.c:do_sysctl", hooks: crosses("sched_id"), dom0: true,
		ready: func(bench.Hypercalls) ([]step, func(), error) {
			return []step{zero("ask for scheduler", abi.SysctlOp, sysctl(&abi.Sysctl{Cmd: abi.SysctlSchedID}))}, nil, nil
		},
	}.register()
	hypercall{
		op: "sysctl_getdomaininfolist", doc: "read the state of all domains",
		source: "common/sysctl.c:do_sysctl", dom0: true,
		hooks: []bench.Crossing{
			{Hook: "getdomaininfo", Note: "1 per domain"},
			{Hook: "security_domaininfo", Note: "1 per domain"},
		},
		ready: domainList,
	}.register()
}

func domctl(name string, cmd abi.DomctlCmd, dom abi.DomID) step {
	return zero(name, abi.DomctlOp, &abi.Args{H: &abi.Domctl{Cmd: cmd, Interface: abi.DomctlInterfaceVersion, DomID: dom}})
}

func sysctl(s *abi.Sysctl) *abi.Args {
	s.Interface = abi.SysctlInterfaceVersion
	return &abi.Args{H: s}
}

// pauseAndUnpause unpauses once more at the end: a loop that failed half-way
// must not leave the domain paused. Unpausing a domain that runs fails and
// does no harm.
func pauseAndUnpause(hc bench.Hypercalls) ([]step, func(), error) {
	peer, err := hc.Peer()
	if err != nil {
		return nil, nil, fmt.Errorf("find peer: %w", err)
	}
	unpause := domctl("unpause domain", abi.DomctlUnpauseDomain, peer.Dom)
	letGo := func() { do(hc, unpause.name, unpause.op, unpause.args) }
	return []step{domctl("pause domain", abi.DomctlPauseDomain, peer.Dom), unpause}, letGo, nil
}

// mostDomains is how many domains the list has room for.
const mostDomains = 8

func domainList(bench.Hypercalls) ([]step, func(), error) {
	buffer := make([]abi.DomainInfo, mostDomains)
	list := &abi.Sysctl{Cmd: abi.SysctlGetDomainInfoList, Domains: buffer}
	s := zero("list domains", abi.SysctlOp, sysctl(list))
	s.before = func() { list.Domains = buffer }
	s.after = func() error {
		if len(list.Domains) == 0 {
			return fmt.Errorf("the list is empty")
		}
		return nil
	}
	return []step{s}, nil, nil
}
