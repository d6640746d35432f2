//go:build xsm && !xsmdirect

package xsm

// viaTable says whether this build's hooks call the table that is registered.
const viaTable = true
