package hypercall

import (
	"errors"
	"fmt"
	"time"

	"xsmbench/abi"
	"xsmbench/bench"
)

// Operations of FLASK's hypercall (public/xsm/flask_op.h of 4.17).
const (
	flaskGetEnforce   = 2 // in 3.2 as in 4.17
	flaskSetEnforce   = 3
	flaskGetBool      = 11
	flaskSetBool      = 12
	flaskGetThreshold = 16
	flaskSetThreshold = 17
	flaskHashStats    = 18
	flaskCacheStats   = 19
)

// struct xen_flask_op: command, version, and a union of 32 bytes.
const (
	flaskUnion  = 8
	flaskOpSize = flaskUnion + 32
)

func (i *Interface) encodeFlask(m memory, cmd uint32) {
	m.clear()
	m.put32(0, cmd)
	m.put32(4, i.Constants[flaskVersion])
}

// avc is FLASK's access vector cache, through the one structure that all its
// operations take.
type avc struct {
	calls      caller
	iface      *Interface
	m          memory
	request    request
	processors uint32 // that have statistics
	sleep      func(time.Duration)
}

var _ bench.AVC = (*avc)(nil)

// AVC asks first whether there is a FLASK.
func (d *Domain) AVC() (bench.AVC, error) {
	if d.avc != nil {
		return d.avc, nil
	}
	_, err := d.Mode()
	if err == nil {
		err = d.planner.iface.check("FLASK_GETBOOL", "FLASK_SETBOOL", "FLASK_GETAVC_THRESHOLD", "FLASK_SETAVC_THRESHOLD", "FLASK_AVC_HASHSTATS", "FLASK_AVC_CACHESTATS")
	}
	if err != nil {
		return nil, fmt.Errorf("find AVC: %w", err)
	}
	m, err := d.dev.allocate(flaskOpSize)
	if err != nil {
		return nil, fmt.Errorf("find AVC: %w", err)
	}
	d.avc = &avc{calls: d.dev, m: m, sleep: time.Sleep, iface: d.planner.iface, request: request{op: uint64(abi.XSMOp), args: [5]uint64{m.at}}}
	return d.avc, nil
}

// do makes an operation. encode, if not nil, fills the union.
func (a *avc) do(cmd uint32, encode func(union memory)) (union memory, result int64, err error) {
	a.iface.encodeFlask(a.m, cmd)
	union = a.m.from(flaskUnion)
	if encode != nil {
		encode(union)
	}
	if result = a.calls.hypercall(&a.request); result < 0 {
		err = abi.Errno(-result)
	}
	return union, result, err
}

// Stats adds up the processors that are on, from the first.
func (a *avc) Stats() (bench.AVCStats, error) {
	var sum bench.AVCStats
	for cpu := uint32(0); a.processors == 0 || cpu < a.processors; cpu++ {
		u, _, err := a.do(flaskCacheStats, func(u memory) { u.put32(0, cpu) })
		switch {
		case err == abi.ENOENT && cpu > 0:
			a.processors = cpu
			continue
		case err == abi.ENOSYS: // without CONFIG_XSM_FLASK_AVC_STATS
			return sum, fmt.Errorf("read the AVC's statistics: the build keeps none: %w", errors.ErrUnsupported)
		case err != nil:
			return sum, fmt.Errorf("read the AVC's statistics of processor %d: %w", cpu, err)
		}
		sum.Lookups += u.get32(4)
		sum.Hits += u.get32(8)
		sum.Misses += u.get32(12)
		sum.Allocations += u.get32(16)
		sum.Reclaims += u.get32(20)
		sum.Frees += u.get32(24)
	}
	return sum, nil
}

// Chains are struct xen_flask_hash_stats.
func (a *avc) Chains() (bench.AVCChains, error) {
	u, _, err := a.do(flaskHashStats, nil)
	if err != nil {
		return bench.AVCChains{}, fmt.Errorf("read the AVC's chains: %w", err)
	}
	return bench.AVCChains{Nodes: u.get32(0), Used: u.get32(4), Buckets: u.get32(8), Longest: u.get32(12)}, nil
}

// Threshold is the call's result.
func (a *avc) Threshold() (uint32, error) {
	_, n, err := a.do(flaskGetThreshold, nil)
	if err != nil {
		return 0, fmt.Errorf("read the AVC's threshold: %w", err)
	}
	return uint32(n), nil
}

// SetThreshold looks its own permission up, if the threshold changes.
func (a *avc) SetThreshold(nodes uint32) error {
	if _, _, err := a.do(flaskSetThreshold, func(u memory) { u.put32(0, nodes) }); err != nil {
		return fmt.Errorf("set the AVC's threshold to %d: %w", nodes, err)
	}
	return nil
}

// Flush commits the policy's first boolean as it is (struct xen_flask_boolean:
// number, value at 4, new value at 6, whether to commit at 7). Xen then forgets
// all decisions (avc_ss_reset), after the one on this operation; it notes both
// on its console. Nothing else drops all and leaves the mode as it is.
func (a *avc) Flush() error {
	u, _, err := a.do(flaskGetBool, nil)
	if err == abi.ENOENT {
		return fmt.Errorf("flush the AVC: the policy has no boolean, whose setting would: %w", errors.ErrUnsupported)
	}
	if err != nil {
		return fmt.Errorf("flush the AVC: read boolean 0: %w", err)
	}
	value := u.b[4]
	_, _, err = a.do(flaskSetBool, func(u memory) { u.b[6], u.b[7] = value, 1 })
	if err != nil {
		return fmt.Errorf("flush the AVC: set boolean 0 as it is: %w", err)
	}
	return nil
}

// mostYields bounds the wait for RCU, of which a yield does a step: it takes
// the vCPU through Xen's softirqs. Where another processor is idle that is not enough:
// RCU waits for that one's softirqs, too, since the plain idle loop (arch/x86/domain.c,
// default_idle) does not tell RCU that it may be passed over, as others do. So from
// fewYields on dom0 sleeps as well: then the other processor has its turn, and a timer
// of Xen's wakes it within a second.
const (
	fewYields  = 100
	mostYields = 400
	nap        = 10 * time.Millisecond
)

// Settle waits for RCU: what was allocated and not freed is then in the cache.
func (a *avc) Settle() error {
	yield := request{op: uint64(abi.SchedOp), args: [5]uint64{uint64(abi.SCHEDOPYield)}}
	for n := range mostYields {
		if n > fewYields {
			a.sleep(nap)
		}
		s, err := a.Stats()
		if err != nil {
			return err
		}
		c, err := a.Chains()
		if err != nil {
			return err
		}
		if s.Allocations-s.Frees == c.Nodes {
			return nil
		}
		a.calls.hypercall(&yield)
	}
	return fmt.Errorf("settle the AVC: nodes are not freed after %d yields and %v", mostYields, (mostYields-fewYields)*nap)
}
