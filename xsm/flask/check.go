package flask

import (
	"errors"
	"fmt"
	"strings"

	"xsmbench/xsm"
	"xsmbench/xsm/flask/ss"
)

// usualLabels are domU's where a policy has no initial SID for it: 3.2's own,
// and that of Xen's example policies.
var usualLabels = []string{"system_u:vm_r:domU_t", "system_u:system_r:domU_t"}

// Check says whether a policy is one that the module can load, and returns the
// context that a domU gets.
func Check(policy []byte, o xsm.PolicyOptions) (label string, err error) {
	unknown, err := parseUnknown(o.Unknown)
	if err != nil {
		return "", err
	}
	m := newModule(true, unknown, func(string) {})
	if err := m.loadPolicy(0, policy); err != nil {
		return "", err
	}
	return m.domULabel(o.Label)
}

// parseUnknown reads the value of flask_unknown.
func parseUnknown(text string) (ss.Unknown, error) {
	if text == "" {
		return ss.RejectUnknown, nil
	}
	return ss.ParseUnknown(text)
}

// domULabel returns the context for a domU: the one that is asked for, that of
// the policy's initial SID, or the first of the usual ones that it has.
func (m *Module) domULabel(asked string) (string, error) {
	if asked != "" {
		_, err := m.server.ContextToSID(asked)
		return asked, err
	}
	if sid, ok := m.server.InitialSID(initialSIDs[sidDomU-1]); ok {
		return m.server.SIDToContext(sid)
	}
	var errs []error
	for _, usual := range usualLabels {
		for _, label := range []string{usual, usual + ":s0"} {
			_, err := m.server.ContextToSID(label)
			if err == nil {
				return label, nil
			}
			if !strings.HasSuffix(label, ":s0") {
				errs = append(errs, err)
			}
		}
	}
	return "", fmt.Errorf("no label for domU: choose one of the policy's: %w", errors.Join(errs...))
}
