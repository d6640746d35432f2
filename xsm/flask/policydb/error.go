package policydb

import (
	"errors"
	"fmt"
)

// Why a policy is refused. An Error wraps one of them.
var (
	ErrMagic     = errors.New("not a policy")
	ErrTarget    = errors.New("not a policy for Xen")
	ErrVersion   = errors.New("version out of range")
	ErrTruncated = errors.New("policy ends early")
	ErrInvalid   = errors.New("invalid policy")
)

// Error says where a policy is broken.
type Error struct {
	Section string // the part of the policy, "header" to "type_attr_map"
	Offset  int    // in bytes, of the value at fault
	err     error
}

// Error names the section and the offset.
func (e *Error) Error() string {
	return fmt.Sprintf("read policy: %s at offset %d: %v", e.Section, e.Offset, e.err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.err }
