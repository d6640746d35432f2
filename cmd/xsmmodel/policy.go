package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"

	"xsmbench/xsm"
)

// policyMagic begins a policy file (XSM_MAGIC of a FLASK build).
const policyMagic = 0xf97cff8c

// builtinPolicy is the policy of a build whose module needs one.
var builtinPolicy []byte

// checkPolicy is the module's judgement of a policy file before the machine
// boots with it, nil in a build whose module reads none.
var checkPolicy func([]byte) error

// policyModules makes the boot modules that carry the policy: the file's, or
// the built-in one if there is no file.
func policyModules(path string) ([]xsm.BootModule, error) {
	if path == "" {
		if builtinPolicy == nil {
			return nil, nil
		}
		return []xsm.BootModule{{Name: "policy", Data: builtinPolicy}}, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read policy: %w", err)
	}
	if magic := binary.LittleEndian.AppendUint32(nil, policyMagic); !bytes.HasPrefix(data, magic) {
		return nil, fmt.Errorf("read policy %s: no policy: it does not begin with the magic number %#x", path, uint32(policyMagic))
	}
	if checkPolicy != nil {
		if err := checkPolicy(data); err != nil {
			return nil, fmt.Errorf("policy %s: %w", path, err)
		}
	}
	return []xsm.BootModule{{Name: path, Data: data}}, nil
}
