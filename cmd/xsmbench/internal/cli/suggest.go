package cli

import (
	"fmt"
	"strings"

	edlib "github.com/hbollon/go-edlib"
)

// suggest is a parenthesis that names the known word nearest to a mistyped
// one, and otherwise all known words.
func suggest(word string, known []string) string {
	best, distance := "", max(1, len(word)/2)
	for _, k := range known {
		if d := edlib.OSADamerauLevenshteinDistance(strings.ToLower(word), strings.ToLower(k)); d <= distance && (best == "" || d < distance) {
			best, distance = k, d
		}
	}
	if best != "" {
		return fmt.Sprintf(" (did you mean %q?)", best)
	}
	return " (known: " + strings.Join(known, ", ") + ")"
}
