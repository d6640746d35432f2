package guest

import (
	"errors"
	"fmt"
	"strings"

	"xsmbench/abi"
	"xsmbench/bench"
)

// Operations of FLASK's hypercall, in Xen 3.2's form: text in a buffer.
const (
	flaskGetEnforce   = 2
	flaskSetEnforce   = 3
	flaskGetThreshold = 16
	flaskSetThreshold = 17
	flaskHashStats    = 18
	flaskCacheStats   = 19
)

// avc is FLASK's access vector cache.
type avc struct {
	k    *Kernel
	args abi.Args
	op   abi.XSMOpArgs
}

var (
	_ bench.AVCKeeper = (*hypercalls)(nil)
	_ bench.AVC       = (*avc)(nil)
)

// AVC asks first whether there is a FLASK.
func (h *hypercalls) AVC() (bench.AVC, error) {
	if !h.k.config.AVC {
		return nil, fmt.Errorf("find AVC: %w", errors.ErrUnsupported)
	}
	a := &avc{k: h.k, op: abi.XSMOpArgs{Buf: make([]byte, abi.PageSize)}}
	a.args.H = &a.op
	_, err := a.do(flaskGetEnforce, "")
	if errors.Is(err, abi.ENOSYS) {
		err = errors.ErrUnsupported
	}
	if err != nil {
		return nil, fmt.Errorf("find AVC: %w", err)
	}
	return a, nil
}

// shortAnswer is room for any but the statistics of many processors. The
// module copies all the room that it is given.
const shortAnswer = 128

// do makes an operation and returns its answer.
func (a *avc) do(cmd uint32, in string) (string, error) {
	size := shortAnswer
	if cmd == flaskCacheStats {
		size = len(a.op.Buf)
	}
	clear(a.op.Buf[copy(a.op.Buf, in):size])
	a.op.Cmd, a.op.Size = cmd, uint32(size)
	if rc := a.k.cpu.Hypercall(abi.XSMOp, &a.args); rc < 0 {
		return "", abi.Errno(-rc)
	}
	text, _, _ := strings.Cut(string(a.op.Buf[:a.op.Size]), "\x00")
	return text, nil
}

// number makes an operation whose answer is one.
func (a *avc) number(cmd uint32, what string) (n uint32, err error) {
	text, err := a.do(cmd, "")
	if err == nil {
		_, err = fmt.Sscan(text, &n)
	}
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", what, err)
	}
	return n, nil
}

// Stats adds up the lines of the processors, behind a line of titles.
func (a *avc) Stats() (bench.AVCStats, error) {
	var sum bench.AVCStats
	text, err := a.do(flaskCacheStats, "")
	if err != nil {
		return sum, fmt.Errorf("read the AVC's statistics: %w", err)
	}
	_, lines, _ := strings.Cut(text, "\n")
	for line := range strings.Lines(lines) {
		var n [6]uint64
		if _, err := fmt.Sscan(line, &n[0], &n[1], &n[2], &n[3], &n[4], &n[5]); err != nil {
			return sum, fmt.Errorf("read the AVC's statistics: %q: %w", line, err)
		}
		sum.Lookups += uint32(n[0])
		sum.Hits += uint32(n[1])
		sum.Misses += uint32(n[2])
		sum.Allocations += uint32(n[3])
		sum.Reclaims += uint32(n[4])
		sum.Frees += uint32(n[5])
	}
	return sum, nil
}

// Chains reads the counts' text.
func (a *avc) Chains() (bench.AVCChains, error) {
	var c bench.AVCChains
	text, err := a.do(flaskHashStats, "")
	if err == nil {
		_, err = fmt.Sscanf(text, "entries: %d\nbuckets used: %d/%d\nlongest chain: %d\n", &c.Nodes, &c.Used, &c.Buckets, &c.Longest)
	}
	if err != nil {
		return c, fmt.Errorf("read the AVC's chains: %w", err)
	}
	return c, nil
}

// Threshold reads it.
func (a *avc) Threshold() (uint32, error) { return a.number(flaskGetThreshold, "the AVC's threshold") }

// SetThreshold changes it; the module looks the permission up if it differs.
func (a *avc) SetThreshold(nodes uint32) error {
	if _, err := a.do(flaskSetThreshold, fmt.Sprint(nodes)); err != nil {
		return fmt.Errorf("set the AVC's threshold to %d: %w", nodes, err)
	}
	return nil
}

// Flush leaves the mode and returns to it: FLASK forgets all when it begins to
// enforce. The real Xen's way, to commit a boolean, is not there: the model's
// policy has none.
func (a *avc) Flush() error {
	mode, err := a.number(flaskGetEnforce, "FLASK's mode")
	if err != nil {
		return fmt.Errorf("flush the AVC: %w", err)
	}
	for _, m := range []uint32{1 - mode, mode} {
		if _, err := a.do(flaskSetEnforce, fmt.Sprint(m)); err != nil {
			return fmt.Errorf("flush the AVC: set FLASK's mode to %d: %w", m, err)
		}
	}
	return nil
}

// Settle has nothing to wait for: a node that was dropped is nobody's.
func (a *avc) Settle() error { return nil }
