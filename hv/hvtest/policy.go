package hvtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"

	"xsmbench/hv"
)

var _ hv.PolicyComparer = (*Target)(nil)

// magic begins a policy of the target, a text of which each line is a rule.
const magic = "policy\n"

// rules are those of a file, none without one.
func rules(path string) ([]string, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	body, ok := strings.CutPrefix(string(text), magic)
	if !ok {
		return nil, fmt.Errorf("policy %s: it does not begin with the magic word", path)
	}
	return strings.Split(strings.TrimSpace(body), "\n"), nil
}

// secure makes a build's policy and options part of its image.
func secure(img *hv.Image) error {
	if options := img.Build.Options; options != nil {
		img.Hash = sum(img.Hash + strings.Join(options, " "))
	}
	list, err := rules(img.Build.Policy)
	if err != nil || list == nil {
		return err
	}
	img.Policy = sum(strings.Join(list, "\n"))
	img.Hash = sum(img.Hash + img.Policy)
	return nil
}

func sum(text string) string {
	h := sha256.Sum256([]byte(text))
	return hex.EncodeToString(h[:])
}

// ComparePolicies compares rules.
func (*Target) ComparePolicies(_ context.Context, before, after *hv.Image) hv.PolicyChange {
	was, err := rules(before.Build.Policy)
	if err != nil {
		return hv.PolicyChange{Unknown: err.Error()}
	}
	is, err := rules(after.Build.Policy)
	if err != nil {
		return hv.PolicyChange{Unknown: err.Error()}
	}
	p := hv.PolicyPart{What: "rules", New: without(is, was), Gone: without(was, is)}
	if p.Added, p.Removed = len(p.New), len(p.Gone); p.Added+p.Removed == 0 {
		return hv.PolicyChange{}
	}
	return hv.PolicyChange{Parts: []hv.PolicyPart{p}}
}

func without(list, other []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(other, s) })
}
