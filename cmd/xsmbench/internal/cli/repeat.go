package cli

import (
	"regexp"
	"strings"

	"al.essio.dev/pkg/shellescape"

	"xsmbench/reports/gate"
)

// repeat gives the commands that measure benchmarks of a gate's run again and
// judge them. The first is the command that the run was made by, with another
// place and, if some are named, these benchmarks alone.
func (f *gateFlags) repeat(in *gate.Input) func(benchmarks []string) []string {
	if in.Run == nil || len(in.Run.Command) < 2 || in.Run.Command[1] != "run" {
		return nil
	}
	return func(benchmarks []string) []string {
		args := withoutFlag(in.Run.Command, "output", "o")
		if len(benchmarks) > 0 {
			args = append(withoutFlag(args, "bench", ""), "--bench", exactly(benchmarks))
		}
		args = append(args, "-o", "again")
		return []string{shellescape.QuoteCommand(args), shellescape.QuoteCommand(f.judgeAgain(in))}
	}
}

// judgeAgain judges the repeated run as this one.
func (f *gateFlags) judgeAgain(in *gate.Input) []string {
	args := []string{"xsmbench", "gate", "again"}
	if len(f.only) > 0 {
		args = append(args, "--only", strings.Join(f.only, ","))
	}
	builds := in.Run.Spec.Builds
	switch {
	case f.earlierFlags.words() != nil:
		args = append(args, f.earlierFlags.words()...)
		for _, word := range f.renames {
			args = append(args, "--"+gate.RenameKey, word)
		}
	case len(builds) > 0 && in.Comparison.Base != builds[0].Name:
		args = append(args, "--base", in.Comparison.Base)
	}
	return args
}

// withoutFlag leaves out a flag that takes a value, in all of its forms.
func withoutFlag(args []string, long, short string) []string {
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

// exactly is a regular expression that matches these names and no others.
func exactly(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = regexp.QuoteMeta(name)
	}
	if len(names) == 1 {
		return "^" + quoted[0] + "$"
	}
	return "^(" + strings.Join(quoted, "|") + ")$"
}
