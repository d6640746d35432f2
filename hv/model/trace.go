package model

import (
	"sync"
	"sync/atomic"

	"xsmbench/abi"
)

// Trace buffers (common/trace.c): a ring of records per processor, under the
// control of sysctl tbuf_op.

// Classes and events of records.
const (
	traceClassSched = 0x0002f000
	traceSwitch     = traceClassSched | 10 // TRC_SCHED_SWITCH
)

// Commands of tbuf_op.
const (
	tbufGetInfo = iota
	tbufSetCPUMask
	tbufSetEvtMask
	tbufSetSize
	tbufEnable
	tbufDisable
)

const (
	traceRecordSize  = 32 // bytes
	tracePerPage     = abi.PageSize / traceRecordSize
	traceMaxPages    = 64
	traceAllEvents   = 0x0ffff000
	traceClassesMask = 0x0fff0000
)

// traceEvent is a record.
type traceEvent struct {
	event uint32
	when  uint64 // system time, ns
	data  [2]uint64
}

// traceBuffer is a processor's ring, written with its lock held.
type traceBuffer struct {
	ring []traceEvent
	prod uint32
}

// tracing is the control state of all rings.
type tracing struct {
	on     atomic.Bool
	lock   sync.Mutex // guards the rest
	cpus   atomic.Uint64
	events atomic.Uint32
	pages  uint32 // per processor, 0 until set; cannot change afterwards
}

// traceRecord adds a record to c's ring; c is locked.
func (c *pcpu) traceRecord(t *tracing, event uint32, a, b, now uint64) {
	if !t.on.Load() || !cpuMask(t.cpus.Load()).has(c.id) || t.events.Load()&event&traceAllEvents == 0 {
		return
	}
	if len(c.trace.ring) == 0 {
		return
	}
	c.trace.ring[int(c.trace.prod)%len(c.trace.ring)] = traceEvent{event, now, [2]uint64{a, b}}
	c.trace.prod++
}

// traceControl is tbuf_op (tb_control).
func (m *Machine) traceControl(op *abi.Sysctl) int64 {
	t := &m.trace
	t.lock.Lock()
	defer t.lock.Unlock()
	switch op.TBufCmd {
	case tbufGetInfo:
		op.TBufMask = uint64(t.events.Load())
		op.TBufSize = t.pages * abi.PageSize
	case tbufSetCPUMask:
		t.cpus.Store(op.TBufMask)
	case tbufSetEvtMask:
		t.events.Store(uint32(op.TBufMask))
	case tbufSetSize:
		return m.traceSetSize(op.TBufSize)
	case tbufEnable:
		if t.pages == 0 {
			return einval
		}
		t.on.Store(true)
	case tbufDisable:
		t.on.Store(false)
	default:
		return einval
	}
	return 0
}

// traceSetSize gives every processor a ring of some pages, once.
func (m *Machine) traceSetSize(pages uint32) int64 {
	if m.trace.pages != 0 || pages == 0 || pages > traceMaxPages {
		return einval
	}
	for _, c := range m.cpus {
		c.lock.Lock()
		c.trace.ring = make([]traceEvent, pages*tracePerPage)
		c.lock.Unlock()
	}
	m.trace.pages = pages
	return 0
}
