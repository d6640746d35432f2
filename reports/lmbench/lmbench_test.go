package lmbench_test

import (
	"bytes"
	"flag"
	"io"
	"strings"
	"testing"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/reports/compare"
	"xsmbench/reports/internal/golden"
	"xsmbench/reports/lmbench"
	"xsmbench/results"
)

var update = flag.Bool("update", false, "write the golden files again")

// sample is a figure of a build in a domain.
func sample(target, build, domain, name string, value float64, unit string) results.Sample {
	return results.Sample{
		Boot: results.Boot{Boot: 1, Round: 1}, Target: target, Arch: "amd64", Build: build, Domain: domain, Benchmark: name,
		Values: []bench.Value{{Value: value, Unit: unit}}, Ended: true, Run: "run",
	}
}

// figures are of every column that a run of this program fills.
var figures = []struct {
	name  string
	value float64
	unit  string
}{
	{"lat_syscall/op=null", 134.4, "ns/op"},
	{"lat_syscall/op=read", 217.8, "ns/op"},
	{"lat_syscall/op=write", 168.6, "ns/op"},
	{"lat_syscall/op=stat", 919.5, "ns/op"},
	{"lat_syscall/op=open", 1590.8, "ns/op"},
	{"lat_select/fds=100", 1551.4, "ns/op"},
	{"lat_select/fds=100/for=write", 1553.7, "ns/op"},
	{"lat_sig/op=install", 283.9, "ns/op"},
	{"lat_sig/op=catch", 2241.2, "ns/op"},
	{"lat_sig/op=prot", 443.9, "ns/op"},
	{"lat_proc/op=fork", 60525, "ns/op"},
	{"lat_proc/op=fork/process=dynamic", 161833, "ns/op"},
	{"lat_proc/op=exec", 563000, "ns/op"},
	{"lat_proc/op=sh", 12345678, "ns/op"},
	{"lat_ctx/size=0K/procs=2", 1950, "ns/op"},
	{"lat_ctx/size=16K/procs=8", 2900, "ns/op"},
	{"lat_pipe", 5754, "ns/op"},
	{"lat_unix", 9066.7, "ns/op"},
	{"lat_pagefault", 108.6, "ns/op"},
	{"lat_mmap/size=512K", 9473, "ns/op"},
	{"lat_mmap/size=1M", 13149.5, "ns/op"},
	{"lat_fs/op=create/size=0k", 9876.5, "ns/op"},
	{"lat_fs/op=delete/size=0k", 0.4, "ns/op"},
	{"bw_pipe", 3209.08, "MB/s"},
	{"bw_unix", 12345.6, "MB/s"},
	{"bw_mmap_rd/size=512K/op=open2close", 1, "MB/s"}, // no column has it
	{"bw_mem/size=512K/op=bcopy", 9999.4, "MB/s"},
	{"bw_mem/size=8M/op=bcopy", 5432.1, "MB/s"},
}

func TestWrite(t *testing.T) {
	var list []results.Sample
	for _, domain := range []string{"dom0", "domU"} {
		for i, f := range figures {
			if domain == "domU" && i%2 == 1 {
				continue // blank cells
			}
			for _, factor := range []float64{0.9, 1, 7} { // whose median is the figure
				s := sample("model", "native", domain, "Lmbench/"+f.name, f.value*factor, f.unit)
				list = append(list, s)
			}
		}
	}
	list = append(list,
		sample("linux", "a-kernel-of-mine", "host", "Lmbench/lat_syscall/op=write", 100, "ns/op"),
		sample("model", "native", "dom0", "Kbench/vm/op=anon_fault", 1, "ns/op"))
	run := &results.Run{
		Host:   results.Host{CPU: "Some(R) CPU @ 2.90GHz"},
		Images: []hv.Image{{Build: hv.Build{Name: "native"}, Dispatch: "compiled out"}, {Build: hv.Build{Name: "a-kernel-of-mine"}, Revision: "6.1.0-18-amd64"}},
	}
	golden.Matches(t, *update, "summary.txt", func(w io.Writer) error { return lmbench.Write(w, compare.SetOf(list), run, "ns/op") })
}

// A target that counts has no times: what it counts stands in their columns.
func TestOtherUnit(t *testing.T) {
	set := compare.SetOf([]results.Sample{
		sample("xen", "flask", "dom0", "Lmbench/lat_proc/op=fork", 935000, "xen-instr/op"),
		sample("xen", "flask", "dom0", "Lmbench/bw_mem/size=512K/op=fcp", 5, "MB/s"),
	})
	golden.Matches(t, *update, "counted.txt", func(w io.Writer) error { return lmbench.Write(w, set, nil, "xen-instr/op") })
	var b bytes.Buffer
	if err := lmbench.Write(&b, set, nil, "ns/op"); err != nil {
		t.Errorf("rates alone: %v", err)
	}
	if err := lmbench.Write(&b, set, nil, "no-unit"); err == nil || !strings.Contains(err.Error(), "no figure of lmbench's in no-unit") {
		t.Errorf("a unit that there is not: %v", err)
	}
}
