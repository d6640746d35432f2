package history

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"xsmbench/results"
)

// HostKey tells machines apart whose times cannot be compared: by processor,
// how many of them, memory in GB, and whether the machine is virtual. The
// kernel, the governor and the mitigations are no part of it: they change on
// one machine, and a trend is to show what came of that.
func HostKey(h results.Host) string {
	text := fmt.Sprintf("%s|%s|%s|%d|%d|%s", h.OS, h.Arch, h.CPU, h.CPUs, (h.MemoryMB+512)/1024, h.Virtual)
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:4])
}
