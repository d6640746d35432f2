package model

import (
	"runtime"

	"xsmbench/abi"
)

// The version of Xen whose interface the model offers.
const (
	versionMajor = 3
	versionMinor = 2
)

// Features that xen_version reports (public/features.h).
const (
	featPAEPgdirAbove4G = 4
)

// capabilities names the guest interfaces offered.
func capabilities() string {
	if abi.PTLevels == 4 {
		return "xen-3.0-x86_64"
	}
	return "xen-3.0-x86_32p"
}

// doXenVersion is xen_version (common/kernel.c): R[0] is the command.
func doXenVersion(_ *Machine, v *VCPU, a *abi.Args) int64 {
	switch a.R[0] {
	case abi.XENVERVersion:
		return versionMajor<<16 | versionMinor
	case abi.XENVERPagesize:
		return abi.PageSize
	case abi.XENVERExtraversion:
		return putAnswer(a.H, ".0-model")
	case abi.XENVERCapabilities:
		return putAnswer(a.H, capabilities())
	case abi.XENVERChangeset:
		return putAnswer(a.H, "model")
	case abi.XENVERPlatformParams:
		return putAnswer(a.H, uint64(abi.HypervisorStart))
	case abi.XENVERGuestHandle:
		return putAnswer(a.H, *v.dom.handle.Load())
	case abi.XENVERCompileInfo:
		return putAnswer(a.H, abi.CompileInfo{Compiler: runtime.Version(), By: "xsmbench", Domain: runtime.GOARCH})
	case abi.XENVERGetFeatures:
		f, _ := a.H.(*abi.FeatureInfo)
		switch {
		case f == nil:
			return efault
		case f.SubmapIdx != 0:
			return einval
		}
		f.Submap = 1 << featPAEPgdirAbove4G
		return 0
	}
	return enosys
}

// putAnswer stores an answer behind a handle of its type.
func putAnswer[T any](handle any, value T) int64 {
	p, _ := handle.(*T)
	if p == nil {
		return efault
	}
	*p = value
	return 0
}
