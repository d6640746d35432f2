package kbench

import (
	"encoding/binary"
	"errors"
	"fmt"

	"xsmbench/abi"
	"xsmbench/bench"
)

// Contexts of the policy that Xen brings along.
const (
	deviceModelContext = "system_u:system_r:dm_dom_t"
	// nicContext is that of a device which a domU may use, even without an IOMMU.
	nicContext = "system_u:object_r:nic_dev_t"
)

// Kinds of resources that FLASK labels by their numbers.
const (
	labelIRQ    = 1
	labelIOPort = 2
)

// label is the number of a security context, 0 where nobody enforces a policy.
func label(hc bench.Hypercalls, context string) (uint32, error) {
	var sid uint32
	c := context + "\x00" // which later releases look for
	ask := flaskOp("CONTEXT_TO_SID", abi.Member("u.sid_context.sid", abi.Variable(&sid)),
		abi.Member("u.sid_context.size", abi.Number(uint64(len(c)))), abi.Member("u.sid_context.context", abi.Address(text(c))))
	err := do(hc, "ask for the label "+context, abi.XSMOp, &abi.Args{H: ask})
	if errors.Is(err, abi.ENOSYS) {
		return 0, nil
	}
	return sid, err
}

// labelled gives a resource a label until unlabel, where somebody enforces a
// policy.
func labelled(hc bench.Hypercalls, kind, number uint64, context string) (unlabel func(), err error) {
	sid, err := label(hc, context)
	if err != nil || sid == 0 {
		return func() {}, err
	}
	op := func(command string) *abi.Args {
		return &abi.Args{H: flaskOp(command, abi.Member("u.ocontext.ocon", abi.Number(kind)), abi.Member("u.ocontext.sid", abi.Number(uint64(sid))),
			abi.Member("u.ocontext.low", abi.Number(number)), abi.Member("u.ocontext.high", abi.Number(number)))}
	}
	if err := do(hc, fmt.Sprintf("label resource %#x", number), abi.XSMOp, op("ADD_OCONTEXT")); err != nil {
		return nil, err
	}
	return func() { do(hc, "unlabel resource", abi.XSMOp, op("DEL_OCONTEXT")) }, nil
}

func flaskOp(command string, fields ...abi.NamedField) *abi.Named {
	head := []abi.NamedField{
		abi.Member("cmd", abi.Constant("FLASK_"+command)), abi.Member("interface_version", abi.Constant("XEN_FLASK_INTERFACE_VERSION")),
	}
	return &abi.Named{Registers: []abi.Word{abi.Address(abi.Struct("xen_flask_op", append(head, fields...)...))}}
}

// text is a string in memory.
func text(s string) *abi.Block {
	b := make([]byte, (len(s)+7)&^7)
	copy(b, s)
	var words []abi.Word
	for ; len(b) > 0; b = b[8:] {
		words = append(words, abi.Number(binary.LittleEndian.Uint64(b)))
	}
	return &abi.Block{Words: words}
}
