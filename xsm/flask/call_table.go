//go:build !xsm || !xsmdirect

package flask

// call has nothing to do here: hooks call the table that is registered.
func call(*Module) {}
