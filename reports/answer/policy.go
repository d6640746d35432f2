package answer

import (
	"fmt"

	"xsmbench/hv"
	"xsmbench/reports/internal/number"
)

// mostStatements is how many statements of a sort are named.
const mostStatements = 3

// policyLines tell what differs between the policies.
func (c *Changed) policyLines() []string {
	p := c.Policy
	switch {
	case p == nil:
		return nil
	case p.Unknown != "":
		return []string{"what changed in the policy is not known: " + p.Unknown}
	case len(p.Parts) == 0:
		return []string{"the policies say the same"}
	}
	lines := []string{"policy: " + number.Count(len(p.Parts), "part") + " changed"}
	for _, part := range p.Parts {
		lines = append(lines, partLines(part)...)
	}
	return lines
}

func partLines(p hv.PolicyPart) []string {
	if p.Before+p.After != "" {
		return []string{fmt.Sprintf("  %s: %s → %s", p.What, p.Before, p.After)}
	}
	lines := []string{fmt.Sprintf("  %s: +%d −%d", p.What, p.Added, p.Removed)}
	return append(append(lines, statements("new: ", p.New, p.Added)...), statements("gone: ", p.Gone, p.Removed)...)
}

// statements are the first of so many.
func statements(word string, list []string, all int) []string {
	var lines []string
	for i, s := range list {
		if i == mostStatements {
			break
		}
		lines = append(lines, "    "+word+s)
	}
	if more := all - len(lines); more > 0 {
		lines = append(lines, fmt.Sprintf("    %s%d more", word, more))
	}
	return lines
}
