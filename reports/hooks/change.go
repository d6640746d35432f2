package hooks

import (
	"fmt"
	"io"
	"slices"
	"strings"

	numbers "xsmbench/reports/internal/number"
	"xsmbench/reports/profile"
)

// named is how many hooks, or functions, a line names.
const named = 6

// ChangeLines say in a line for each build and domain which hooks cost more, or
// less, than in the base, and whether other code changed.
func ChangeLines(r *profile.Run, base string) []string {
	var lines []string
	for _, p := range r.Places() {
		for _, build := range r.Builds {
			if build == base {
				continue
			}
			if text := changes(r, p, build, base); text != "" {
				lines = append(lines, fmt.Sprintf("%s against %s, %s: %s", build, base, p, text))
			}
		}
	}
	return lines
}

// Few are the lines of ChangeLines of builds that have most hooks in common:
// those of a change of the code, not of another module.
func Few(r *profile.Run, base string) []string {
	few := *r
	few.Builds = slices.DeleteFunc(slices.Clone(r.Builds), func(build string) bool {
		changed, same := 0, 0
		for _, p := range r.Places() {
			c, s := r.Changes(p, build, base)
			changed, same = changed+len(c), same+s
		}
		return build != base && changed > same
	})
	return ChangeLines(&few, base)
}

// changes is "" if the builds have no hook in common whose cost is known.
func changes(r *profile.Run, p profile.Where, build, base string) string {
	changed, same := r.Changes(p, build, base)
	if len(changed)+same == 0 {
		return ""
	}
	only := crossedOnly(r, p, build, base)
	var parts []string
	for i, c := range changed {
		if i == named {
			parts = append(parts, fmt.Sprintf("%d more hooks", len(changed)-named))
			break
		}
		parts = append(parts, fmt.Sprintf("%s %s a call", c.Hook, spread(c.Low, c.High)))
	}
	text := "no hook that both cross costs more or less"
	switch {
	case len(parts) > 0 && same > 0:
		text = fmt.Sprintf("%s; %d other hooks cost the same", strings.Join(parts, ", "), same)
	case len(parts) > 0:
		text = strings.Join(parts, ", ") + "; no other hook is crossed by both"
	}
	return strings.Join(slices.Concat([]string{text}, only, []string{callers(r, p, build, base)}), "; ")
}

// crossedOnly names the hooks that one of the builds does not cross where the other does.
func crossedOnly(r *profile.Run, p profile.Where, build, base string) []string {
	var parts []string
	for _, x := range r.CrossedOnly(p.Is, base, build) {
		end := "not crossed any more"
		if !x.All {
			end = "no longer crossed in " + numbers.Count(len(x.Benchmarks), "operation")
		}
		parts = append(parts, fmt.Sprintf("%s %s before, %s", x.Hook, span(x.Low, x.High), end))
	}
	for _, x := range r.CrossedOnly(p.Is, build, base) {
		end := "not crossed before"
		if !x.All {
			end = "now crossed in " + numbers.Count(len(x.Benchmarks), "operation") + " more"
		}
		parts = append(parts, fmt.Sprintf("%s %s, %s", x.Hook, span(x.Low, x.High), end))
	}
	if len(parts) > named {
		parts = append(parts[:named], fmt.Sprintf("%d more hooks that one of the two does not cross", len(parts)-named))
	}
	return parts
}

// span is a number of instructions, or from the least to the most.
func span(low, high float64) string {
	if a, b := number(low), number(high); a != b {
		return a + "…" + b
	}
	return number(low)
}

// callers says what changed outside of hooks.
func callers(r *profile.Run, p profile.Where, build, base string) string {
	movers := r.Movers(p, build, base)
	if len(movers) == 0 {
		return "no code outside of hooks changed"
	}
	var parts []string
	for i, m := range movers {
		if i == named {
			return fmt.Sprintf("%d functions outside of hooks changed", len(movers))
		}
		parts = append(parts, fmt.Sprintf("%s %s", m.Function, spread(m.Low, m.High)))
	}
	return "outside of hooks: " + strings.Join(parts, ", ")
}

func spread(low, high float64) string {
	if signed(low) == signed(high) {
		return signed(low)
	}
	return signed(low) + "…" + signed(high)
}

func writeChanges(w io.Writer, r *profile.Run, base string) {
	lines := Few(r, base)
	for _, line := range lines {
		fmt.Fprintln(w, line)
	}
	if len(lines) > 0 {
		fmt.Fprintln(w)
	}
}
