package protocol

import (
	"encoding/json"
	"strings"
)

// Security modules as a domain sees them.
const (
	ModuleNone  = "none" // no module answers: native, dummy or SILO
	ModuleFlask = "flask"
)

// Facts are what a domain found out about the Xen below it before it measured.
type Facts struct {
	// Guest is the kind of domain that an unprivileged domain's kernel takes itself for: "PV", "PVH",
	// "HVM"; "" where it does not say.
	Guest     string `json:"guest,omitempty"`
	Module    string `json:"module"`
	Enforcing bool   `json:"enforcing,omitempty"`
	// Refused says why the module did not tell its mode.
	Refused string `json:"refused,omitempty"`
	// Forbidden is the error number that an unprivileged domain got when it
	// asked for the state of one of dom0's event channels: EPERM from Xen's
	// own check, EACCES from a policy, 0 if it was allowed.
	Forbidden int `json:"forbidden,omitempty"`
}

const factsPrefix = "facts: "

// Encode writes the facts as the text of a warning record.
func (f Facts) Encode() string {
	text, err := json.Marshal(f)
	if err != nil {
		panic(err) // strings, numbers and booleans always marshal
	}
	return factsPrefix + string(text)
}

// DecodeFacts reads the text of a warning record; it is false if the text is
// another warning.
func DecodeFacts(text string) (f Facts, ok bool) {
	body, ok := strings.CutPrefix(text, factsPrefix)
	if !ok {
		return f, false
	}
	return f, json.Unmarshal([]byte(body), &f) == nil
}
