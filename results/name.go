package results

import "fmt"

// CheckName tells whether a build or a domain can have a name: it is part of
// the names of files, and a value in Go's benchmark format.
func CheckName(name string) error {
	if !plainName.MatchString(name) {
		return fmt.Errorf("name %q: use letters, digits, and . _ + - between them", name)
	}
	return nil
}
