package bench

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Hash identifies the plan: the first 16 hexadecimal digits of the SHA-256 of
// its JSON. An agent and its host compare theirs.
func (p Plan) Hash() string {
	b, err := json.Marshal(p)
	if err != nil {
		panic(fmt.Sprintf("hash plan: %v", err)) // strings and numbers always marshal
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}
