package cli

import (
	"io"

	"xsmbench/results"
)

// compareRun prints the comparison of one run.
func compareRun(stdout, stderr io.Writer, path string) error {
	_, err := results.Open(path)
	return err
}
