//go:build linux

package linux

import (
	"slices"
	"strings"
)

// pair is a program of lmbench's and the benchmark that is its port.
type pair struct {
	port    string
	args    string  // of the original; FILE is a file of 1 MiB, PORT that of the HTTP server
	figure  figure  // where the original's output has it
	within  float64 // how far they may be apart, as a share
	enoughU int64   // the window that the original asks for, µs; 0 for that of the test
	apart   string  // why that is more than one of the tolerances, if it is
}

// figure is where an original's output has its figure, and what makes the port's unit
// of it: µs, or MB/s.
type figure struct {
	pattern string
	of      func(float64) float64
}

func same(v float64) float64          { return v }
func fromNanos(v float64) float64     { return v / 1000 }
func fromPerSecond(n float64) float64 { return 1e6 / n }

// isDerived tells the programs that subtract one measurement from another, or divide by
// it. Their best figure would be that of the most disturbed one: the median counts.
func (p pair) isDerived() bool {
	return strings.HasPrefix(p.port, "lat_ctx/") || strings.HasPrefix(p.port, "par_") || slices.Contains([]string{"lat_sig/op=catch", "lat_sig/op=prot", "lat_pagefault", "tlb", "line", "mhz"}, p.port)
}

// What is allowed between the two, as a share: where processes are made or
// switched, more of what differs between two programs takes part.
const (
	callTolerance    = 0.10
	processTolerance = 0.15
)

var (
	micros = figure{`([\d.]+) microseconds\n`, same}
	rate   = figure{`([\d.]+) MB/sec`, same}
	// lat_http prints one time for all pages, of 10 KiB with a header.
	httpPage = figure{`Avg xfer: 10\.4KB, .*KB in ([\d.]+) milli`, func(ms float64) float64 { return ms * 1000 / httpPages }}
	second   = figure{`(?m)^[\d.]+ ([\d.]+)$`, same} // of two columns: size, figure
)

// row is the figure in the line that begins with a text, in the unit that follows it.
func row(begin, unit string, of func(float64) float64) figure {
	return figure{`(?m)^` + begin + `\s+([\d.]+)` + unit, of}
}

func nanos(name string) figure { return row(name+":", " nanoseconds", fromNanos) }

var pairs = []pair{
	{"lat_syscall/op=null", "lat_syscall null", micros, callTolerance, 0, ""},
	{"lat_syscall/op=read", "lat_syscall read", micros, callTolerance, 0, ""},
	{"lat_syscall/op=write", "lat_syscall write", micros, callTolerance, 0, ""},
	{"lat_syscall/op=stat", "lat_syscall stat FILE", micros, callTolerance, 0, ""},
	{"lat_syscall/op=fstat", "lat_syscall fstat FILE", micros, callTolerance, 0, ""},
	{"lat_syscall/op=open", "lat_syscall open FILE", micros, callTolerance, 0, ""},
	{"lat_select/fds=10/for=write", "lat_select -n 10 file", micros, callTolerance, 0, ""},
	{"lat_select/fds=100/for=write", "lat_select -n 100 file", micros, callTolerance, 0, ""},
	{"lat_sig/op=install", "lat_sig install", micros, callTolerance, 0, ""},
	{"lat_sig/op=catch", "lat_sig catch", micros, callTolerance, 0, ""},
	{"lat_sig/op=prot", "lat_sig prot FILE", micros, callTolerance, 0, ""},
	{"lat_pipe", "lat_pipe", micros, callTolerance, 1_000_000, ""},
	{"lat_unix", "lat_unix", micros, callTolerance, 0, ""},
	{"lat_proc/op=fork/process=dynamic", "lat_proc fork", micros, processTolerance, 0, ""},
	{"lat_proc/op=exec/process=dynamic", "lat_proc exec", micros, processTolerance, 0, ""},
	{"lat_proc/op=sh/process=dynamic", "lat_proc shell", micros, processTolerance, 0, ""},
	{"lat_ctx/size=0K/procs=2", "lat_ctx -s 0 2", row("2", "$", same), processTolerance, 0, ""},
	{"lat_ctx/size=16K/procs=8", "lat_ctx -s 16 8", row("8", "$", same), processTolerance, 0, ""},
	{"lat_pagefault", "lat_pagefault FILE", micros, callTolerance, 0, ""},
	{"lat_mmap/size=512K", "lat_mmap 512k FILE", second, callTolerance, 0, ""},
	{"lat_mmap/size=1M", "lat_mmap 1m FILE", second, callTolerance, 0, ""},
	{"bw_pipe", "bw_pipe -M 1m", rate, callTolerance, 2_000_000, ""},
	// The original reports as if it had moved 10 MiB, whatever -M says.
	{"bw_unix", "bw_unix", rate, callTolerance, 2_000_000, ""},
	{"bw_file_rd/size=512K/op=open2close", "bw_file_rd 512k open2close FILE", second, callTolerance, 0, ""},
	{"bw_mmap_rd/size=512K/op=open2close", "bw_mmap_rd 512k open2close FILE", second, callTolerance, 0, ""},
	{"bw_mem/size=512K/op=rd", "bw_mem 512k rd", second, callTolerance, 0, ""},
	{"bw_mem/size=512K/op=wr", "bw_mem 512k wr", second, callTolerance, 0, ""},
	{"bw_mem/size=512K/op=rdwr", "bw_mem 512k rdwr", second, callTolerance, 0, ""},
	{"bw_mem/size=512K/op=cp", "bw_mem 512k cp", second, callTolerance, 0, ""},
	{"bw_mem/size=512K/op=bzero", "bw_mem 512k bzero", second, callTolerance, 0, ""},
	{"bw_mem/size=512K/op=bcopy", "bw_mem 512k bcopy", second, callTolerance, 0, ""},
	{"bw_mem/size=512K/op=bcopy/conflict=1", "bw_mem 512k bcopy conflict", second, callTolerance, 0, ""},
	{"bw_mem/size=512K/op=frd", "bw_mem 512k frd", second, callTolerance, 0, ""},
	{"bw_mem/size=512K/op=fwr", "bw_mem 512k fwr", second, callTolerance, 0, ""},
	{"bw_mem/size=512K/op=fcp", "bw_mem 512k fcp", second, callTolerance, 0, ""},
	{"bw_file_rd/size=512K/op=io_only", "bw_file_rd 512k io_only FILE", second, callTolerance, 0, ""},
	{"bw_mmap_rd/size=512K/op=mmap_only", "bw_mmap_rd 512k mmap_only FILE", second, callTolerance, 0, ""},
	{"lat_select/of=tcp/fds=10", "lat_select -n 10 tcp", micros, callTolerance, 0, ""},
	{"lat_select/of=tcp/fds=100", "lat_select -n 100 tcp", micros, callTolerance, 0, ""},
	{"lat_tcp", "lat_tcp localhost", micros, processTolerance, 1_000_000, ""},
	{"lat_udp", "lat_udp localhost", micros, processTolerance, 1_000_000, ""},
	{"lat_connect", "lat_connect localhost", micros, processTolerance, 0, ""},
	{"lat_unix_connect", "lat_unix_connect", micros, processTolerance, 0, ""},
	{"bw_tcp/m=64", "bw_tcp -m 64 localhost", rate, 2, 0, ofScheduler},
	{"bw_tcp/m=1437", "bw_tcp -m 1437 localhost", rate, 1, 0, ofScheduler},
	{"bw_tcp/m=10M", "bw_tcp -m 10m localhost", rate, callTolerance, 0, ""},
	{"lat_fcntl", "lat_fcntl", micros, callTolerance, 0, ""},
	{"lat_sem", "lat_sem", micros, processTolerance, 1_000_000, ""},
	{"lat_usleep/method=usleep", "lat_usleep -u usleep 100", micros, callTolerance, 0, ""},
	{"lat_usleep/method=nanosleep", "lat_usleep -u nanosleep 100", micros, callTolerance, 0, ""},
	{"lat_usleep/method=select", "lat_usleep -u select 100", micros, callTolerance, 0, ""},
	{"lat_usleep/method=itimer", "lat_usleep -u itimer 100", micros, callTolerance, 0, ""},
	{"lat_proc/op=procedure", "lat_proc procedure", micros, callTolerance, 0, ""},
	{"lat_ops/type=integer/op=mul", "lat_ops", nanos("integer mul"), callTolerance, 0, ""},
	{"lat_ops/type=integer/op=div", "lat_ops", nanos("integer div"), callTolerance, 0, ""},
	{"lat_ops/type=integer/op=mod", "lat_ops", nanos("integer mod"), callTolerance, 0, ""},
	{"lat_ops/type=int64/op=mul", "lat_ops", nanos("int64 mul"), callTolerance, 0, ""},
	{"lat_ops/type=int64/op=div", "lat_ops", nanos("int64 div"), callTolerance, 0, ""},
	{"lat_ops/type=int64/op=mod", "lat_ops", nanos("int64 mod"), callTolerance, 0, ""},
	{"lat_ops/type=float/op=add", "lat_ops", nanos("float add"), callTolerance, 0, ""},
	{"lat_ops/type=float/op=mul", "lat_ops", nanos("float mul"), callTolerance, 0, ""},
	{"lat_ops/type=float/op=div", "lat_ops", nanos("float div"), callTolerance, 0, ""},
	{"lat_ops/type=double/op=add", "lat_ops", nanos("double add"), callTolerance, 0, ""},
	{"lat_ops/type=double/op=mul", "lat_ops", nanos("double mul"), callTolerance, 0, ""},
	{"lat_ops/type=double/op=div", "lat_ops", nanos("double div"), callTolerance, 0, ""},
	{"lat_ops/type=float/op=bogomflops", "lat_ops", nanos("float bogomflops"), callTolerance, 0, ""},
	{"lat_ops/type=double/op=bogomflops", "lat_ops", nanos("double bogomflops"), callTolerance, 0, ""},
	{"lat_rand/fn=drand48", "lat_rand", nanos("drand48 latency"), callTolerance, 0, ""},
	{"lat_rand/fn=lrand48", "lat_rand", nanos("lrand48 latency"), callTolerance, 0, ""},
	{"stream/v=1/op=copy", "stream -M 6m", row("STREAM copy bandwidth:", " MB", same), callTolerance, 0, ""},
	{"stream/v=1/op=scale", "stream -M 6m", row("STREAM scale bandwidth:", " MB", same), callTolerance, 0, ""},
	{"stream/v=1/op=triad", "stream -M 6m", row("STREAM triad bandwidth:", " MB", same), callTolerance, 0, ""},
	{"lat_mem_rd/size=4K/stride=128", "lat_mem_rd 1 128", row("0.00391", "", fromNanos), callTolerance, 0, ""},
	{"lat_mem_rd/size=32K/stride=128", "lat_mem_rd 1 128", row("0.03125", "", fromNanos), callTolerance, 0, ""},
	{"lat_mem_rd/size=256K/stride=128", "lat_mem_rd 1 128", row("0.25000", "", fromNanos), callTolerance, 0, ""},
	{"lat_mem_rd/size=1M/stride=128", "lat_mem_rd 1 128", row("1.00000", "", fromNanos), callTolerance, 0, ""},
	{"lat_fs/op=create/size=0k", "lat_fs d", row("0k\t\\d+", "\t", fromPerSecond), callTolerance, 0, ""},
	{"lat_fs/op=delete/size=0k", "lat_fs d", row("0k\t\\d+\t\\d+", "$", fromPerSecond), callTolerance, 0, ""},
	{"lat_fs/op=create/size=1k", "lat_fs d", row("1k\t\\d+", "\t", fromPerSecond), callTolerance, 0, ""},
	{"lat_fs/op=delete/size=1k", "lat_fs d", row("1k\t\\d+\t\\d+", "$", fromPerSecond), callTolerance, 0, ""},
	{"lat_fs/op=create/size=4k", "lat_fs d", row("4k\t\\d+", "\t", fromPerSecond), callTolerance, 0, ""},
	{"lat_fs/op=delete/size=4k", "lat_fs d", row("4k\t\\d+\t\\d+", "$", fromPerSecond), callTolerance, 0, ""},
	{"lat_fs/op=create/size=10k", "lat_fs d", row("10k\t\\d+", "\t", fromPerSecond), callTolerance, 0, ""},
	{"lat_fs/op=delete/size=10k", "lat_fs d", row("10k\t\\d+\t\\d+", "$", fromPerSecond), callTolerance, 0, ""},
	{"stream/v=1/op=add", "stream -M 6m", row("STREAM add bandwidth:", " MB", same), 2, 0, ofMistake},
	{"stream/v=2/op=fill", "stream -v 2 -M 6m", row("STREAM2 fill bandwidth:", " MB", same), 1.5, 0, ofLine},
	{"stream/v=2/op=copy", "stream -v 2 -M 6m", row("STREAM2 copy bandwidth:", " MB", same), callTolerance, 0, ""},
	{"stream/v=2/op=daxpy", "stream -v 2 -M 6m", row("STREAM2 daxpy bandwidth:", " MB", same), callTolerance, 0, ""},
	{"stream/v=2/op=sum", "stream -v 2 -M 6m", row("STREAM2 sum bandwidth:", " MB", same), callTolerance, 0, ""},
	{"lat_mem_rd/size=32K/stride=16", "lat_mem_rd 1 16", row("0.03125", "", fromNanos), callTolerance, 0, ""},
	{"lat_mem_rd/size=1M/stride=16", "lat_mem_rd 1 16", row("1.00000", "", fromNanos), callTolerance, 0, ""},
	{"lat_mem_rd/size=32K/stride=1024", "lat_mem_rd 1 1024", row("0.03125", "", fromNanos), callTolerance, 0, ""},
	{"lat_mem_rd/size=1M/stride=1024", "lat_mem_rd 1 1024", row("1.00000", "", fromNanos), callTolerance, 0, ""},
	{"lat_select/of=tcp/fds=250", "lat_select -n 250 tcp", micros, callTolerance, 0, ""},
	{"lat_select/of=tcp/fds=500", "lat_select -n 500 tcp", micros, callTolerance, 0, ""},
	{"bw_file_rd/size=512K/op=io_only/C=1", "bw_file_rd -C 512k io_only FILE", second, callTolerance, 0, ""},
	{"bw_file_rd/size=512K/op=open2close/C=1", "bw_file_rd -C 512k open2close FILE", second, callTolerance, 0, ""},
	{"bw_mmap_rd/size=512K/op=mmap_only/C=1", "bw_mmap_rd -C 512k mmap_only FILE", second, callTolerance, 0, ""},
	{"bw_mmap_rd/size=512K/op=open2close/C=1", "bw_mmap_rd -C 512k open2close FILE", second, callTolerance, 0, ""},
	{"lat_ctx/size=0K/procs=8", "lat_ctx -s 0 8", row("8", "$", same), processTolerance, 0, ""},
	{"lat_ctx/size=0K/procs=16", "lat_ctx -s 0 16", row("16", "$", same), processTolerance, 0, ""},
	{"lat_ctx/size=0K/procs=96", "lat_ctx -s 0 96", row("96", "$", same), processTolerance, 0, ""},
	{"lat_ctx/size=16K/procs=2", "lat_ctx -s 16 2", row("2", "$", same), processTolerance, 0, ""},
	{"lat_ctx/size=64K/procs=16", "lat_ctx -s 64 16", row("16", "$", same), processTolerance, 0, ""},
	{"lat_fifo", "lat_fifo", micros, callTolerance, 1_000_000, ""},
	{"lat_http/size=10k", "lat_http localhost PORT", httpPage, processTolerance, 0, ""},
	{"lat_rpc/proto=tcp", "lat_rpc localhost", figure{`RPC/tcp latency using localhost: ([\d.]+) microseconds`, same}, 1, 1_000_000, ofRPC},
	{"lat_rpc/proto=udp", "lat_rpc localhost", figure{`RPC/udp latency using localhost: ([\d.]+) microseconds`, same}, 1, 1_000_000, ofRPC},
	{"par_ops/type=integer/op=mul", "par_ops", row("integer mul parallelism:", "$", same), callTolerance, 0, ""},
	{"par_ops/type=integer/op=div", "par_ops", row("integer div parallelism:", "$", same), callTolerance, 0, ""},
	{"par_ops/type=integer/op=mod", "par_ops", row("integer mod parallelism:", "$", same), callTolerance, 0, ""},
	{"par_ops/type=int64/op=mul", "par_ops", row("int64 mul parallelism:", "$", same), callTolerance, 0, ""},
	{"par_ops/type=int64/op=div", "par_ops", row("int64 div parallelism:", "$", same), callTolerance, 0, ""},
	{"par_ops/type=int64/op=mod", "par_ops", row("int64 mod parallelism:", "$", same), callTolerance, 0, ""},
	{"par_ops/type=float/op=add", "par_ops", row("float add parallelism:", "$", same), callTolerance, 0, ""},
	{"par_ops/type=float/op=mul", "par_ops", row("float mul parallelism:", "$", same), callTolerance, 0, ""},
	{"par_ops/type=float/op=div", "par_ops", row("float div parallelism:", "$", same), callTolerance, 0, ""},
	{"par_ops/type=double/op=add", "par_ops", row("double add parallelism:", "$", same), callTolerance, 0, ""},
	{"par_ops/type=double/op=mul", "par_ops", row("double mul parallelism:", "$", same), callTolerance, 0, ""},
	{"par_ops/type=double/op=div", "par_ops", row("double div parallelism:", "$", same), callTolerance, 0, ""},
	{"par_ops/type=integer/op=bit", "par_ops", row("integer bit parallelism:", "$", same), 1, 0, ofCompiler},
	{"par_ops/type=integer/op=add", "par_ops", row("integer add parallelism:", "$", same), 1, 0, ofCompiler},
	{"par_ops/type=int64/op=bit", "par_ops", row("int64 bit parallelism:", "$", same), 1, 0, ofCompiler},
	{"par_ops/type=int64/op=add", "par_ops", row("int64 add parallelism:", "$", same), 1, 0, ofCompiler},
	{"par_mem", "par_mem -M 8M", row("8.388608", "$", same), processTolerance, 0, ""},
	{"tlb", "tlb -c -M 8M", figure{`tlb: (\d+) pages`, same}, callTolerance, 0, ""},
	{"line", "line -M 8M", figure{`(?m)^(\d+)$`, same}, callTolerance, 0, ""},
	{"mhz", "mhz", figure{`(\d+) MHz`, same}, callTolerance, 0, ""},
}

// Why a port and its original are farther apart than they may be.
const (
	ofCompiler  = "how many chains side by side are registers, and not memory, is the compiler's choice"
	ofLine      = "three instructions, which the linker put across two lines of the cache in the original"
	ofMistake   = "the original runs another loop under this name, which reads and does not write"
	ofRPC       = "the original's library asks poll before each message, and decodes more"
	ofScheduler = "the original itself differs that much from run to run: how often its two processes take turns is the scheduler's choice"
)
