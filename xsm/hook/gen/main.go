// Command gen writes the part of package xsm that follows from the table of
// hooks: the operations structure, the dummy module, the wrappers that the
// hypervisor calls in each kind of build, and the hooks' numbers and names.
// It is run by go generate in the directory of package xsm.
//
// With -module it writes, in the directory of a module's package, the functions
// that hooks call where no table lies between them and the module.
package main

import (
	"flag"
	"fmt"
	"os"

	"xsmbench/xsm/hook"
)

func main() {
	isModule := flag.Bool("module", false, "write the direct calls' functions of the module in this directory")
	flag.Parse()
	write := run
	if *isModule {
		write = runModule
	}
	if err := write("."); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// run writes the generated files into dir.
func run(dir string) error {
	direct, err := directModules(dir)
	if err != nil {
		return fmt.Errorf("read modules: %w", err)
	}
	files, err := generate(hook.Table, direct)
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
