// Command compile makes a binary policy for Xen from a directory of source:
//
//	compile DIRECTORY OUTPUT
package main

import (
	"fmt"
	"os"

	"xsmbench/xsm/flask/policy/checkpolicy"
)

// version is the format's: the newest without what Xen uses on Arm only.
const version = 24

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "compile:", err)
		os.Exit(3)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("want a directory and an output file, have %d arguments", len(args))
	}
	src, err := checkpolicy.Source(args[0])
	if err != nil {
		return err
	}
	bin, err := checkpolicy.Compile(src, "Xen", version, false)
	if err != nil {
		return err
	}
	return os.WriteFile(args[1], bin, 0o644)
}
