package block

import "xsmbench/bench"

// Reading is a piece of work that reads a block device at random, eight requests at a
// time. What is on the device stays as it is.
func Reading(os bench.OS) (func(bench.OS) (int64, error), error) {
	d, err := Open(os)
	if err != nil {
		return nil, err
	}
	d.Close()
	d = nil
	at := int64(0)
	return func(os bench.OS) (moved int64, err error) {
		if d == nil { // requests belong to the process that opens the device
			if d, err = Open(os); err != nil {
				return 0, err
			}
		}
		const some = 16
		var all []bench.BlockRequest
		for n := range some {
			at = (at + stride) % d.blocks
			all = append(all, d.request(n, at, false))
		}
		return some * Size, d.Do(all, filling)
	}, nil
}
