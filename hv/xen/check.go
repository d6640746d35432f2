package xen

import (
	"fmt"

	"xsmbench/abi"
	"xsmbench/hv/xen/protocol"
)

// check compares what a domain found out about its Xen with what the build
// should be: a FLASK that does not enforce would measure another path, and say
// so nowhere.
func (s *start) check(domain string, f protocol.Facts) error {
	k, err := kindOf(s.img.Build)
	if err != nil {
		return err
	}
	flask := k.AVC // it is FLASK's cache
	switch {
	case f.Refused != "":
		return fmt.Errorf("%s cannot ask the security module for its mode: %s", domain, f.Refused)
	case flask && f.Module != protocol.ModuleFlask:
		return fmt.Errorf("FLASK does not answer in the build %s", s.img.Build.Name)
	case flask && !f.Enforcing:
		return fmt.Errorf("FLASK does not enforce its policy in the build %s", s.img.Build.Name)
	case !flask && f.Module == protocol.ModuleFlask:
		return fmt.Errorf("FLASK answers in the build %s, which should have none", s.img.Build.Name)
	case domain == "dom0":
		return nil
	case f.Forbidden == 0:
		return fmt.Errorf("%s was allowed what only dom0 may: the state of dom0's event channel", domain)
	case flask && f.Forbidden != int(abi.EACCES):
		return fmt.Errorf("%s was refused with error %d, not by the policy (%d)", domain, f.Forbidden, int(abi.EACCES))
	}
	return nil
}
