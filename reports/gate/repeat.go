package gate

import (
	"regexp"
	"slices"
	"strings"
)

// mostRepeated bounds the benchmarks in a command to repeat: beyond it, the
// whole run is as easily repeated.
const mostRepeated = 6

// Repeat is the commands that measure again the rows of the gravest kind there
// is and judge them; nil if nothing is known of the run. The first is the
// command that the run was made by, with another place and fewer benchmarks.
func (r *Result) Repeat() []string {
	if r.Run == nil || len(r.Run.Command) < 2 || r.Run.Command[1] != "run" {
		return nil
	}
	var names []string
	for _, f := range r.gravest() {
		if f.Benchmark != "" && !slices.Contains(names, f.Benchmark) {
			names = append(names, f.Benchmark)
		}
	}
	args := withoutFlags(r.Run.Command, "output", "o")
	if n := len(names); n > 0 && n <= mostRepeated {
		args = append(withoutFlags(args, "bench", ""), "--bench", pattern(names))
	}
	args = append(args, "-o", "again")
	judge := []string{"xsmbench", "gate", "again"}
	if len(r.Only) > 0 {
		judge = append(judge, "--only", strings.Join(r.Only, ","))
	}
	switch {
	case r.Earlier != "":
		judge = append(judge, "--against", r.Earlier)
	case len(r.Run.Spec.Builds) > 0 && r.Comparison.Base != r.Run.Spec.Builds[0].Name:
		judge = append(judge, "--base", r.Comparison.Base)
	}
	return []string{quote(args), quote(judge)}
}

// gravest are the regressions, or what comes next if there are none.
func (r *Result) gravest() []Finding {
	for _, some := range [][]Finding{r.With(Regression), r.With(Inconclusive), r.Improved()} {
		if len(some) > 0 {
			return some
		}
	}
	return nil
}

// withoutFlags leaves out a flag that takes a value, in all of its forms.
func withoutFlags(args []string, long, short string) []string {
	var kept []string
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--"+long, short != "" && arg == "-"+short:
			i++
		case strings.HasPrefix(arg, "--"+long+"="):
		case short != "" && strings.HasPrefix(arg, "-"+short) && !strings.HasPrefix(arg, "--"):
		default:
			kept = append(kept, arg)
		}
	}
	return kept
}

// pattern is a regular expression that matches these names and no others.
func pattern(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = regexp.QuoteMeta(name)
	}
	if len(names) == 1 {
		return "^" + quoted[0] + "$"
	}
	return "^(" + strings.Join(quoted, "|") + ")$"
}

var plain = regexp.MustCompile(`^[A-Za-z0-9_./:=@%+,-]+$`)

// quote writes a command line for a shell.
func quote(args []string) string {
	words := make([]string, len(args))
	for i, arg := range args {
		if words[i] = arg; !plain.MatchString(arg) {
			words[i] = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}
