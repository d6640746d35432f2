//go:build linux && (amd64 || 386)

package linux

import "xsmbench/bench"

var (
	_ bench.ToolstackOwner = (*OS)(nil)
	_ bench.BlockOwner     = (*OS)(nil)
	_ bench.NetworkOwner   = (*OS)(nil)
	_ bench.Explainer      = (*OS)(nil)
)

// Toolstack makes domains, nil for none.
func (o *OS) Toolstack() bench.Toolstack { return o.config.Toolstack }

// Block is the path of a virtual block device, "" for none.
func (o *OS) Block() string { return o.config.Virtual }

// Server is where a server answers, the zero address for nowhere.
func (o *OS) Server() bench.Host { return o.config.Server }

// WhyNot is the reason for which there is not a facility, as far as it is known.
func (o *OS) WhyNot(f bench.Facility) string { return o.config.Lacks[f] }
