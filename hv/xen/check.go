package xen

import (
	"fmt"
	"strings"

	"xsmbench/hv/xen/protocol"
)

// check compares what a domain found out about its Xen with what the build should
// be: a module in another mode would measure another path, and say so nowhere.
func (s *start) check(domain string, f protocol.Facts) error {
	b := s.img.Build
	if f.Refused != "" {
		return fmt.Errorf("%s cannot ask the security module for its mode: %s", domain, f.Refused)
	}
	m := modeOf(b)
	if err := m.checkModule(b.Name, f); err != nil || domain == "dom0" {
		return err
	}
	if kind := strings.ToUpper(s.shape.domU); f.Guest != "" && f.Guest != kind {
		return fmt.Errorf("%s takes itself for a domain of kind %s, not %s", domain, f.Guest, kind)
	}
	return m.checkRefusal(domain, f)
}

// checkModule compares who answers, and how.
func (m mode) checkModule(build string, f protocol.Facts) error {
	says := strings.ToUpper(m.module)
	switch {
	case m.module == f.Module && m.enforcing == f.Enforcing:
		return nil
	case m.module == f.Module && m.enforcing:
		return fmt.Errorf("%s does not enforce its policy in the build %s", says, build)
	case m.module == f.Module:
		return fmt.Errorf("%s enforces its policy in the build %s, which has it %s", says, build, m.value)
	case m.module == protocol.ModuleNone:
		return fmt.Errorf("%s answers in the build %s, which should have none", strings.ToUpper(f.Module), build)
	}
	return fmt.Errorf("%s does not answer in the build %s", says, build)
}

// checkRefusal compares what a domU got that asked for what only dom0 may: the state
// of dom0's event channel.
func (m mode) checkRefusal(domain string, f protocol.Facts) error {
	switch {
	case m.refusal == 0 && f.Forbidden != 0:
		return fmt.Errorf("%s was refused with error %d what is allowed where nothing is enforced: the state of dom0's event channel", domain, f.Forbidden)
	case m.refusal != 0 && f.Forbidden == 0:
		return fmt.Errorf("%s was allowed what only dom0 may: the state of dom0's event channel", domain)
	case m.refusal > 0 && f.Forbidden != int(m.refusal):
		return fmt.Errorf("%s was refused with error %d, not by the policy (%d)", domain, f.Forbidden, int(m.refusal))
	}
	return nil
}
