package main

import (
	"fmt"

	"xsmbench/abi"
	"xsmbench/hv/model/toolstack"
)

// getEnforce is FLASK's operation of that name (FLASK_GETENFORCE), which every
// domain may make.
const getEnforce = 2

// checkModule asks the hypervisor whose table of hooks is in use, and refuses
// to measure under a name that is not its own: a build with FLASK may have been
// told to leave it out, or its module may not have come up.
func checkModule(k toolstack.Kernel) error {
	op := abi.XSMOpArgs{Cmd: getEnforce, Size: 2, Buf: make([]byte, 2)}
	rc := k.Hypercall(abi.XSMOp, &abi.Args{H: &op})
	switch {
	case hasModule && rc != 0:
		return fmt.Errorf("check the security module: build %s does not run one: xsm_op: %v", buildName, abi.Errno(rc))
	case !hasModule && rc != -int64(abi.ENOSYS):
		return fmt.Errorf("check the security module: build %s runs one: xsm_op: %v", buildName, abi.Errno(rc))
	}
	return nil
}
