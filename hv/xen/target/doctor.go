package target

import (
	"context"

	"xsmbench/hv"
)

// Doctor looks for what the target needs.
func (t *Target) Doctor(ctx context.Context) []hv.Finding { return nil }
