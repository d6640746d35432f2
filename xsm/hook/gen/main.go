// Command gen writes the part of package xsm that follows from the table of
// hooks: the operations structure, the dummy module, the wrappers that the
// hypervisor calls in each kind of build, and the hooks' numbers and names.
// It is run by go generate in the directory of package xsm.
package main

import (
	"fmt"
	"os"

	"xsmbench/xsm/hook"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// run writes the generated files into dir.
func run(dir string) error {
	files, err := generate(hook.Table)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := os.WriteFile(dir+"/"+f.name, f.src, 0o644); err != nil {
			return fmt.Errorf("write generated file: %w", err)
		}
	}
	return nil
}
