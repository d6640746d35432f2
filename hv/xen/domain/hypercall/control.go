package hypercall

import "xsmbench/abi"

// console plans a write of nothing: the console is the kernel's, and its log
// is where the runner looks for the domain's.
func console(a *abi.Args) (plan, error) {
	h, err := handle[abi.ConsoleBuf](abi.ConsoleIO, a)
	if err != nil {
		return plan{}, err
	}
	if a.R[0] != abi.CONSOLEIOWrite {
		return plan{}, unknown(abi.ConsoleIO, a.R[0])
	}
	if len(h.Data) > 0 {
		return plan{}, unsupported(abi.ConsoleIO, "only a write of 0 bytes")
	}
	return plan{args: func(at uint64) [5]uint64 { return [5]uint64{abi.CONSOLEIOWrite, 0, at} }, size: 8}, nil
}

// security plans FLASK's question for its mode. 4.17 returns what 3.2 wrote as
// text into the buffer; both are given.
func (i *Interface) security(a *abi.Args) (plan, error) {
	h, err := handle[abi.XSMOpArgs](abi.XSMOp, a)
	if err != nil {
		return plan{}, err
	}
	if h.Cmd != flaskGetEnforce {
		return plan{}, unknown(abi.XSMOp, uint64(h.Cmd))
	}
	if err := i.check("FLASK_GETENFORCE", flaskVersion, "xen_flask_op"); err != nil {
		return plan{}, lacks(abi.XSMOp, err)
	}
	return plan{
		args: func(at uint64) [5]uint64 { return [5]uint64{at} }, size: flaskOpSize,
		encode: func(m memory) abi.Errno {
			i.encodeFlask(m, h.Cmd)
			return 0
		},
		decode: func(_ memory, result int64) {
			h.Size = uint32(min(1, len(h.Buf)))
			clear(h.Buf)
			if len(h.Buf) > 0 {
				h.Buf[0] = '0' + byte(result)
			}
		},
	}, nil
}
