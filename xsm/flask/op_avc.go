package flask

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"xsmbench/abi"
	"xsmbench/xsm"
	"xsmbench/xsm/flask/avc"
)

// Operations on the access vector cache.

func (m *Module) opSetThreshold(cur *xsm.VCPU, text string, n int) (int, abi.Errno) {
	v, err := strconv.ParseUint(strings.TrimSpace(text), 10, 32)
	if err != nil {
		return 0, -abi.EINVAL
	}
	if uint32(v) != m.cache.Threshold() {
		if rc := m.hasSecurity(cur, securitySetsecparam); rc != 0 {
			return 0, rc
		}
		m.cache.SetThreshold(uint32(v))
	}
	return n, 0
}

// opCacheStats writes a line for every processor that the cache counts for
// and has seen.
func (m *Module) opCacheStats(buf []byte) (int, abi.Errno) {
	var b bytes.Buffer
	b.WriteString("lookups hits misses allocations reclaims frees\n")
	for cpu := range avc.MaxCPUs {
		s := m.cache.Stats(cpu)
		if s == (avc.Stats{}) {
			continue
		}
		fmt.Fprintf(&b, "%d %d %d %d %d %d\n", s.Lookups, s.Hits, s.Misses, s.Allocations, s.Reclaims, s.Frees)
	}
	if b.Len() > len(buf) {
		return 0, -abi.EINVAL
	}
	clear(buf[copy(buf, b.Bytes()):])
	return b.Len(), 0
}
