package child

import "strings"

// FirstLine is the first line of what a program said that is one of those looked
// for, without the space around it; "" if there is none. Empty lines do not
// count.
func FirstLine(said string, is func(line string) bool) string {
	for line := range strings.Lines(said) { // however long they are
		if line = strings.TrimSpace(line); line != "" && is(line) {
			return line
		}
	}
	return ""
}

// LastLine is the last line of what a program said, without the space around it.
func LastLine(said string) string {
	said = strings.TrimSpace(said)
	return strings.TrimSpace(said[strings.LastIndexByte(said, '\n')+1:])
}
