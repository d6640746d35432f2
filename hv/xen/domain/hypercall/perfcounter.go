package hypercall

import (
	"bytes"
	"errors"
	"fmt"

	"xsmbench/abi"
	"xsmbench/bench"
)

// struct xen_sysctl_perfc_op in sysctl's union: command, number of counters at
// 4, of values at 8, pointers to their descriptions at 16 and to the values at
// 24. A description is a name and how many values it has.
const (
	sysctlPerfc  = 5
	perfcQuery   = 2
	perfcName    = 80
	perfcDesc    = perfcName + 4
	perfcValue   = 4
	mostCounters = 1 << 12
	mostValues   = 1 << 16
)

// perfCounters are Xen's, which only a build with CONFIG_PERF_COUNTERS has.
type perfCounters struct {
	calls            caller
	iface            *Interface
	m                memory
	request          request
	counters, values int
	list             []bench.PerfCounter
}

// PerfCounters asks how many there are, and readies room for them.
func (d *Domain) PerfCounters() (func() ([]bench.PerfCounter, error), error) {
	fail := func(err error) (func() ([]bench.PerfCounter, error), error) {
		return nil, fmt.Errorf("find performance counters: %w", err)
	}
	if !d.privileged {
		return fail(fmt.Errorf("they are dom0's: %w", errors.ErrUnsupported))
	}
	iface := d.planner.iface
	if err := iface.check("XEN_SYSCTL_perfc_op", "xen_sysctl_perfc_op", sysctlVersion, "xen_sysctl"); err != nil {
		return fail(err)
	}
	m, err := d.dev.allocate(iface.sysctlSize())
	if err != nil {
		return fail(err)
	}
	p := &perfCounters{calls: d.dev, iface: iface, m: m}
	err = p.query(false)
	if err == abi.ENOSYS {
		err = errors.ErrUnsupported
	}
	if err != nil {
		return fail(err)
	}
	p.counters, p.values = int(p.m.get32(sysctlUnion+4)), int(p.m.get32(sysctlUnion+8))
	if p.counters == 0 || p.counters > mostCounters || p.values < p.counters || p.values > mostValues {
		return fail(fmt.Errorf("there are said to be %d, with %d values", p.counters, p.values))
	}
	if p.m, err = d.dev.allocate(iface.sysctlSize() + p.counters*perfcDesc + p.values*perfcValue); err != nil {
		return fail(err)
	}
	return p.read, nil
}

// query asks Xen. Without the list it answers with the numbers only.
func (p *perfCounters) query(list bool) error {
	p.iface.encodeSysctl(p.m, sysctlPerfc)
	first := p.iface.sysctlSize()
	u := p.m.from(sysctlUnion)
	u.put32(0, perfcQuery)
	if list {
		u.put64(16, p.m.at+uint64(first))
		u.put64(24, p.m.at+uint64(first+p.counters*perfcDesc))
	}
	p.request = request{op: uint64(abi.SysctlOp), args: [5]uint64{p.m.at}}
	if n := p.calls.hypercall(&p.request); n < 0 {
		return abi.Errno(-n)
	}
	return nil
}

// read gives a list that the next call overwrites.
func (p *perfCounters) read() ([]bench.PerfCounter, error) {
	if err := p.query(true); err != nil {
		return nil, fmt.Errorf("read performance counters: %w", err)
	}
	if p.list == nil {
		p.list = make([]bench.PerfCounter, p.counters)
	}
	first := p.iface.sysctlSize()
	values := p.m.from(first + p.counters*perfcDesc)
	left := p.values
	for i := range p.list {
		desc := p.m.from(first + i*perfcDesc)
		n := int(desc.get32(perfcName))
		if n < 0 || n > left {
			return nil, fmt.Errorf("read performance counters: counter %d has %d values, %d are left", i, n, left)
		}
		c := &p.list[i]
		if c.Name == "" {
			name, _, _ := bytes.Cut(desc.b[:perfcName], []byte{0})
			c.Name, c.Values = string(name), make([]uint32, n)
		}
		for j := range c.Values[:min(n, len(c.Values))] {
			c.Values[j] = values.get32(j * perfcValue)
		}
		values, left = values.from(n*perfcValue), left-n
	}
	return p.list, nil
}
