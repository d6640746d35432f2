package hooks

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"xsmbench/reports/profile"
)

// OnlyLines say which hooks one of two builds has and the other lacks: a line
// for each build whose hooks are not those of the base, or of the first build
// that tells its hooks.
func OnlyLines(r *profile.Run, base string) []string {
	var lines []string
	for _, o := range r.Onlys(base) {
		lines = append(lines, onlyLine(o))
	}
	return lines
}

// onlyLine names the hooks.
func onlyLine(o profile.Only) string {
	var parts []string
	for _, side := range []struct {
		build string
		hooks []string
	}{{o.Other, o.Second}, {o.Build, o.First}} {
		if len(side.hooks) > 0 {
			parts = append(parts, fmt.Sprintf("only %s has %s", side.build, strings.Join(side.hooks, ", ")))
		}
	}
	return fmt.Sprintf("hooks of %s and %s by name: %s", o.Other, o.Build, strings.Join(parts, "; "))
}

// lackLines say what builds lack that other releases have, where guests may
// enter them unknown, and which hooks are charged to others.
func lackLines(r *profile.Run) []string {
	return slices.Concat(
		shared(r, "not in the code of %s: ", func(c profile.Code) []string { return c.Absent }),
		shared(r, "where guests may enter %s without a sign of what they come for: ", func(c profile.Code) []string { return c.Unknown }),
		shared(r, "charged to the caller in %s, which jumps there instead of calling: hooks ", func(c profile.Code) []string { return c.Jumped }),
	)
}

// shared is a line for each list of names that builds have; those with the same
// share it.
func shared(r *profile.Run, head string, of func(profile.Code) []string) []string {
	var lines []string
	for i, b := range r.Builds {
		names := of(r.Code[b])
		same := func(other string) bool { return slices.Equal(of(r.Code[other]), names) }
		if len(names) == 0 || slices.ContainsFunc(r.Builds[:i], same) {
			continue
		}
		others := slices.DeleteFunc(slices.Clone(r.Builds), func(other string) bool { return !same(other) })
		lines = append(lines, fmt.Sprintf(head, strings.Join(others, ", "))+strings.Join(names, ", "))
	}
	return lines
}

// writeCode writes how the builds' code differs in what it has.
func writeCode(w io.Writer, r *profile.Run, base string) {
	lines := slices.Concat(OnlyLines(r, base), lackLines(r))
	for _, line := range lines {
		fmt.Fprintln(w, line)
	}
	if len(lines) > 0 {
		fmt.Fprintln(w)
	}
}
