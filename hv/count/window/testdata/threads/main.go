// Threads begins threads, eight at a time, each of which ends at once.
package main

import (
	"fmt"
	"runtime"
	"sync"
)

func main() {
	for range 200 {
		var begun sync.WaitGroup
		for range 8 {
			begun.Go(func() { runtime.LockOSThread() }) // a goroutine that ends so takes its thread along
		}
		begun.Wait()
	}
	fmt.Println("done")
}
