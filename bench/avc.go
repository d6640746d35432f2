package bench

// AVCKeeper is what Hypercalls may also implement if the hypervisor's security
// module may keep its decisions in a cache.
type AVCKeeper interface {
	// AVC gives FLASK's access vector cache. The error is
	// errors.ErrUnsupported if the hypervisor has none.
	AVC() (AVC, error)
}

// AVC is FLASK's access vector cache as the module's own hypercall shows it.
// Any domain may read; what changes something is dom0's.
type AVC interface {
	// Stats are all processors' counts. The error is errors.ErrUnsupported
	// if the module was built without them.
	Stats() (AVCStats, error)
	// Chains describe the hash table.
	Chains() (AVCChains, error)
	// Threshold is the number of nodes from which an insertion makes room by
	// reclaiming up to 16.
	Threshold() (uint32, error)
	SetThreshold(nodes uint32) error
	// Flush empties the cache by an operation of the module's that leaves
	// everything else as it was.
	Flush() error
	// Settle waits until what was dropped is freed: Xen defers that, and
	// would do it in the middle of something else.
	Settle() error
}

// AVCStats count since the start. They wrap, as Xen's do; differences stay
// right.
type AVCStats struct {
	Lookups, Hits, Misses, Allocations, Reclaims, Frees uint32
}

// AVCChains describe the cache's hash table.
type AVCChains struct {
	Nodes, Used, Buckets, Longest uint32
}

// PerfCounting is what Hypercalls may also implement if the hypervisor may
// count what happens in it.
type PerfCounting interface {
	// PerfCounters gives a way of reading the counters. The error is
	// errors.ErrUnsupported if the hypervisor has none, or not for this
	// domain.
	PerfCounters() (read func() ([]PerfCounter, error), err error)
}

// PerfCounter is one counter, or an array of them. They wrap.
type PerfCounter struct {
	Name   string
	Values []uint32 // of an array's elements, else of the processors
}
