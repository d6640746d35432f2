package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"xsmbench/results"
)

// standardInput is how a command line names it.
const standardInput = "-"

// sourcesOf reads operands: directories, files, FIFOs, "-" for standard input,
// and LABEL=FILE. What exists under its whole name is a path, whatever signs it
// has.
func sourcesOf(stdin io.Reader, operands []string) ([]results.Source, error) {
	var all []results.Source
	used := false
	for _, operand := range operands {
		s := results.Source{Path: operand}
		if label, path, ok := strings.Cut(operand, "="); ok && !exists(operand) {
			if label == "" || path == "" {
				return nil, fmt.Errorf("%s: use LABEL=FILE; neither may be empty", operand)
			}
			s = results.Source{Path: path, Label: label}
		}
		if s.Path == standardInput {
			if used {
				return nil, fmt.Errorf("%s: standard input can only be read once", operand)
			}
			used = true
			s.Path, s.In = "stdin", stdin
		}
		all = append(all, s)
	}
	return all, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
