package compare

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// ErrNoRow is of a search that finds nothing.
var ErrNoRow = errors.New("no row")

// Find lists the rows and controls whose benchmark matches a regular
// expression. After the last comma it may name a domain.
func (c *Comparison) Find(what string) ([]Row, error) {
	all := slices.Concat(c.Rows, c.Controls)
	var domains []string
	for _, r := range all {
		if !slices.Contains(domains, r.Domain) {
			domains = append(domains, r.Domain)
		}
	}
	pattern, domain := what, ""
	if i := strings.LastIndex(what, ","); i >= 0 && slices.Contains(domains, what[i+1:]) {
		pattern, domain = what[:i], what[i+1:]
	}
	match, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("find %q: %w", what, err)
	}
	found := slices.DeleteFunc(all, func(r Row) bool {
		return !match.MatchString(r.Benchmark) || domain != "" && r.Domain != domain
	})
	if len(found) == 0 {
		return nil, fmt.Errorf("find %q: %w matches (the domains are %s; a name is a regular expression, and a domain may follow it after a comma)",
			what, ErrNoRow, strings.Join(domains, ", "))
	}
	return found, nil
}
