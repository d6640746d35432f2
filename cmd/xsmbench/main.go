// Command xsmbench measures what XSM security hooks cost a hypervisor.
package main

import (
	"os"

	"xsmbench/cmd/xsmbench/internal/cli"

	_ "xsmbench/bench/kbench"
	_ "xsmbench/bench/lmbench"
	_ "xsmbench/hv/linux"
	_ "xsmbench/hv/model/host"
	_ "xsmbench/hv/xen"
	_ "xsmbench/workloads/block"
	_ "xsmbench/workloads/domains"
	_ "xsmbench/workloads/kernbench"
	_ "xsmbench/workloads/network"
	_ "xsmbench/workloads/serve"
)

func main() { os.Exit(cli.Run(os.Args[1:], os.Stdout, os.Stderr)) }
