package results

import (
	"encoding/json"
	"strings"

	"xsmbench/hv"
)

// UnmarshalJSON reads a run that this or an older program wrote.
func (r *Run) UnmarshalJSON(text []byte) error {
	type plain Run // without this method
	if err := json.Unmarshal(text, (*plain)(r)); err != nil {
		return err
	}
	for i := range r.Images {
		namePolicy(&r.Images[i])
	}
	return nil
}

// namePolicy takes a policy's hash out of an image's configuration, where it
// stood before it had a field.
func namePolicy(img *hv.Image) {
	if config, hash, ok := strings.Cut(img.Config, " policy="); ok && img.Policy == "" && img.Build.Policy != "" {
		img.Config, img.Policy = config, hash
	}
}
