package network

import "xsmbench/bench"

// Asking is a piece of work that asks the service in the other domain.
func Asking(os bench.OS) (func(bench.OS) error, error) {
	c, err := Dial(os)
	if err != nil {
		return nil, err
	}
	c.Close()
	c = nil
	return func(os bench.OS) (err error) {
		if c == nil { // the connection is that of the process that works
			if c, err = Dial(os); err != nil {
				return err
			}
		}
		const some = 8
		return c.Request(some)
	}, nil
}
