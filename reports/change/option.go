package change

import (
	"slices"
	"strings"

	"xsmbench/hv"
)

// notGiven is the value of an option that a command line does not have.
const notGiven = "not given"

// optionChanges compares what two command lines have of the user's. An option that is
// given more than once has all of its values, in their order.
func optionChanges(before, after []string) []string {
	var names, all []string
	for _, o := range slices.Concat(before, after) {
		if name := hv.OptionName(o); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, name := range names {
		if was, is := valueOf(name, before), valueOf(name, after); was != is {
			all = append(all, name+": "+was+" → "+is)
		}
	}
	return all
}

func valueOf(name string, options []string) string {
	var values []string
	for _, o := range options {
		if value, ok := strings.CutPrefix(o, name+"="); ok {
			values = append(values, value)
		}
	}
	if values == nil {
		return notGiven
	}
	return strings.Join(values, " ")
}
