package network

import "xsmbench/bench"

// Asking is a piece of work that asks the service in the other domain.
func Asking(os bench.OS) (func(bench.OS) (int64, error), error) {
	c, err := Dial(os)
	if err != nil {
		return nil, err
	}
	c.Close()
	c = nil
	return func(os bench.OS) (moved int64, err error) {
		if c == nil { // the connection is that of the process that works
			if c, err = Dial(os); err != nil {
				return 0, err
			}
		}
		const some = 8
		return some * (RequestSize + PageSize), c.Request(some)
	}, nil
}
