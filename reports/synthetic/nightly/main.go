// Command nightly writes the invented nights that the documentation's history is
// of: a run directory for each, in a folder.
//
//	go run ./reports/synthetic/nightly DIR
package main

import (
	"fmt"
	"os"

	"xsmbench/reports/synthetic"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: nightly DIR")
		os.Exit(2)
	}
	if err := synthetic.WriteNightly(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "nightly:", err)
		os.Exit(1)
	}
}
