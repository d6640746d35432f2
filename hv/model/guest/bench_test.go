package guest_test

import (
	"testing"

	"xsmbench/abi"
	"xsmbench/bench"
	"xsmbench/hv/model/guest"
)

// BenchmarkOperations times the kernel's operations from the inside. None of
// them must allocate: the collector is off while benchmarks run.
func BenchmarkOperations(b *testing.B) {
	const rw = bench.PROT_READ | bench.PROT_WRITE
	for _, o := range []struct {
		name string
		op   func(b *testing.B, os bench.OS)
	}{
		{"getppid", func(b *testing.B, os bench.OS) {
			for b.Loop() {
				os.Getppid()
			}
		}},
		{"open+close", func(b *testing.B, os bench.OS) {
			for b.Loop() {
				fd, _ := os.Open("/dev/zero", bench.O_RDONLY)
				os.Close(fd)
			}
		}},
		{"pipe", func(b *testing.B, os bench.OS) {
			x, y, _ := os.Socketpair()
			pid, _ := os.Fork(func(os bench.OS) int {
				os.Close(x)
				buf := make([]byte, 1)
				for {
					if n, _ := os.Read(y, buf); n == 0 {
						return 0
					}
					os.Write(y, buf)
				}
			})
			os.Close(y)
			buf := make([]byte, 1)
			for b.Loop() {
				os.Write(x, buf)
				os.Read(x, buf)
			}
			os.Close(x)
			os.Wait(pid)
		}},
		{"fault", func(b *testing.B, os bench.OS) {
			const pages = 64
			for b.Loop() {
				a, _ := os.Mmap(pages*abi.PageSize, rw, bench.MAP_PRIVATE|bench.MAP_ANONYMOUS, -1, 0)
				for i := range bench.Addr(pages) {
					os.Store(a+i*abi.PageSize, 1)
				}
				os.Munmap(a, pages*abi.PageSize)
			}
		}},
		{"fork+exit+wait", func(b *testing.B, os bench.OS) {
			child := func(bench.OS) int { return 0 }
			for b.Loop() {
				pid, _ := os.Fork(child)
				os.Wait(pid)
			}
		}},
		{"fork+exec+wait", func(b *testing.B, os bench.OS) {
			child := func(os bench.OS) int { return os.Exec("/bin/hello", "/bin/hello") }
			for b.Loop() {
				pid, _ := os.Fork(child)
				os.Wait(pid)
			}
		}},
	} {
		b.Run(o.name, func(b *testing.B) {
			b.ReportAllocs()
			inDom0(b, func(c *guest.Control) { o.op(b, c.OS()) })
		})
	}
}
