package hv

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// OptionName is the name of an option of a hypervisor's command line, which is
// NAME=VALUE.
func OptionName(option string) string {
	name, _, _ := strings.Cut(option, "=")
	return name
}

// CheckOption refuses what is no option, or more than one.
func CheckOption(option string) error {
	name, value, ok := strings.Cut(option, "=")
	switch {
	case !ok || name == "" || value == "":
		return fmt.Errorf("option %q: want NAME=VALUE (an option without a value is switched by NAME=yes and NAME=no)", option)
	case strings.ContainsFunc(option, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) || r == '"' || r == '\'' }):
		return fmt.Errorf("option %q: it has a space, a quotation mark or a character that does not print: give each option by itself", option)
	}
	return nil
}

// JoinOptions are those of all builds, and then a build's own. Of one name the
// build's own count.
func JoinOptions(all, own []string) []string {
	var joined []string
	for _, o := range all {
		if !slices.ContainsFunc(own, func(p string) bool { return OptionName(p) == OptionName(o) }) {
			joined = append(joined, o)
		}
	}
	return append(joined, own...)
}
