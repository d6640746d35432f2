// Program windows marks windows: as many empty ones in slots 0, 1, 2 as its
// argument says, and as many of the empty system call getppid in slot 3.
package main

import (
	"os"
	"strconv"
	"syscall"

	"xsmbench/hv/count/mark"
)

func main() {
	n, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	for range n {
		for slot := range 3 {
			mark.Begin(slot)
			mark.End()
		}
		mark.Begin(3)
		syscall.RawSyscall(syscall.SYS_GETPPID, 0, 0, 0)
		mark.End()
	}
}
