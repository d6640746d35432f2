// Package lmbench writes the summary by which lmbench's users know its figures: the
// sections, columns and units of its script getsummary.
package lmbench

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"xsmbench/reports/compare"
	"xsmbench/reports/stats"
	"xsmbench/reports/table"
	"xsmbench/results"
)

// Write writes the summary, with a row for each build and domain. A cell is the
// median of the boots, and blank if there is no sample, as a whole section is that
// has no figure. With another unit than ns/op, as a target has that counts, the
// sections of latencies hold that unit, and those of bandwidths are left out.
//
// The run may be nil.
func Write(w io.Writer, set *compare.Set, run *results.Run, unit string) error {
	rows, err := readRows(set, unit)
	if err != nil {
		return err
	}
	s := summary{b: bufio.NewWriter(table.HarmlessWriter(w)), rows: rows, run: run, unit: unit}
	fmt.Fprintf(s.b, "\n%17sL M B E N C H  3 . 0   S U M M A R Y\n%17s------------------------------------\n", "", "")
	fmt.Fprintf(s.b, "%17s(by an lmbench-compatible suite)\n\n", "")
	for _, t := range sections {
		s.section(t)
	}
	return s.b.Flush()
}

// row is a build in a domain, with its figures by benchmark.
type row struct {
	build, place string
	values       map[string]float64 // in ns/op or another unit, and in MB/s; others have the unit in their name
}

// Units of what benchmarks find out about the processor.
const (
	pages    = "pages"
	bytes    = "bytes"
	parallel = "parallel"
)

func inUnit(name, unit string) string { return name + " in " + unit }

// MicrosecondUnit is the unit whose figures a summary shows in microseconds.
const MicrosecondUnit = "ns/op"

// readRows collects the figures of a unit, those in MB/s beside times, and those that
// are of the processor.
func readRows(set *compare.Set, unit string) ([]row, error) {
	type key struct {
		compare.Environment
		build string
	}
	var order []key
	all := map[key]map[string][]float64{}
	ofUnit := false // whether there is a figure
	set.Samples(func(c compare.Cell, values []float64) {
		name, ours := strings.CutPrefix(c.Benchmark, "Lmbench/")
		switch {
		case !ours:
			return
		case slices.Contains([]string{pages, bytes, parallel}, c.Unit):
			name = inUnit(name, c.Unit)
		case c.Unit != unit && (unit != MicrosecondUnit || c.Unit != "MB/s"):
			return
		default:
			ofUnit = true
		}
		k := key{c.Environment, c.Build}
		if all[k] == nil {
			order = append(order, k)
			all[k] = map[string][]float64{}
		}
		all[k][name] = append(all[k][name], values...)
	})
	if !ofUnit {
		return nil, fmt.Errorf("write lmbench's summary: no figure of lmbench's in %s (the units are %s)", unit, strings.Join(set.Units(), ", "))
	}
	var rows []row
	for _, k := range order {
		r := row{build: k.build, place: placeOf(k.Environment), values: map[string]float64{}}
		for name, values := range all[k] {
			r.values[name] = stats.Median(values)
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// placeOf is what stands in the column of the operating system: the domain, and
// what tells it from others of its name.
func placeOf(e compare.Environment) string {
	words := []string{e.Target, e.Domain}
	if e.Arch != "" && e.Arch != "amd64" {
		words = slices.Insert(words, 1, e.Arch)
	}
	if e.DomU != "" {
		words = append(words, e.DomU)
	}
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
}

// section is one of the summary's tables.
type section struct {
	title string
	times string // how the title goes on if the figures are times; "" if it does not
	rate  bool   // in MB/s
	rule  int    // the length of the line below the title
	// head is the table's head, as getsummary has it, from the column of the
	// operating system on.
	head    [4]string
	columns []column
}

// column is a figure of a row.
type column struct {
	width int // of the column, and of the number
	value func(summary, row) (float64, bool)
	whole bool // print a whole number
}

var sections = []section{
	{
		title: "Basic system parameters", rule: 78,
		head: [4]string{
			"           OS Description              Mhz  tlb  cache  mem   scal",
			"                                           pages line   par   load",
			"                                                 bytes            ",
			"------------- ----------------------- ---- ----- ----- ------ ----",
		},
		columns: []column{
			{4, summary.mhz, true}, found(5, "tlb", pages, true), found(5, "line", bytes, true), found(6, "par_mem", parallel, false), {4, one, true},
		},
	},
	{
		title: "Processor, Processes", times: " - times in microseconds", rule: 78,
		head: [4]string{
			"           OS  Mhz null null      open slct sig  sig  fork exec sh  ",
			"                   call  I/O stat clos TCP  inst hndl proc proc proc",
			"",
			"------------- ---- ---- ---- ---- ---- ---- ---- ---- ---- ---- ----",
		},
		columns: []column{
			{4, summary.mhz, true}, figure(4, "lat_syscall/op=null"), {4, nullIO, false}, figure(4, "lat_syscall/op=stat"), figure(4, "lat_syscall/op=open"),
			figure(4, "lat_select/of=tcp/fds=100"),
			figure(4, "lat_sig/op=install"), figure(4, "lat_sig/op=catch"),
			figure(4, "lat_proc/op=fork/process=dynamic", "lat_proc/op=fork"), figure(4, "lat_proc/op=exec/process=dynamic", "lat_proc/op=exec"),
			figure(4, "lat_proc/op=sh/process=dynamic", "lat_proc/op=sh"),
		},
	},
	{
		title: "Context switching", times: " - times in microseconds", rule: 73,
		head: [4]string{
			"           OS  2p/0K 2p/16K 2p/64K 8p/16K 8p/64K 16p/16K 16p/64K",
			"               ctxsw  ctxsw  ctxsw ctxsw  ctxsw   ctxsw   ctxsw",
			"",
			"------------- ------ ------ ------ ------ ------ ------- -------",
		},
		columns: []column{
			figure(6, "lat_ctx/size=0K/procs=2"), figure(6, "lat_ctx/size=16K/procs=2"), figure(6, "lat_ctx/size=64K/procs=2"), figure(6, "lat_ctx/size=16K/procs=8"),
			figure(6, "lat_ctx/size=64K/procs=8"), figure(7, "lat_ctx/size=16K/procs=16"), figure(7, "lat_ctx/size=64K/procs=16"),
		},
	},
	{
		title: "*Local* Communication latencies", times: " in microseconds", rule: 69,
		head: [4]string{
			"           OS 2p/0K  Pipe AF     UDP  RPC/   TCP  RPC/ TCP",
			"              ctxsw       UNIX         UDP         TCP conn",
			"",
			"------------- ----- ----- ---- ----- ----- ----- ----- ----",
		},
		columns: []column{
			figure(5, "lat_ctx/size=0K/procs=2"), figure(5, "lat_pipe"), figure(4, "lat_unix"), figure(5, "lat_udp"),
			figure(5, "lat_rpc/proto=udp"), figure(5, "lat_tcp"),
			figure(5, "lat_rpc/proto=tcp"), figure(4, "lat_connect"),
		},
	},
	{
		title: "File & VM system latencies", times: " in microseconds", rule: 79,
		head: [4]string{
			"           OS   0K File      10K File     Mmap    Prot   Page   100fd",
			"              Create Delete Create Delete Latency Fault  Fault  selct",
			"",
			"------------- ------ ------ ------ ------ ------- ----- ------- -----",
		},
		columns: []column{
			figure(6, "lat_fs/op=create/size=0k"), figure(6, "lat_fs/op=delete/size=0k"), figure(6, "lat_fs/op=create/size=10k"), figure(6, "lat_fs/op=delete/size=10k"),
			largest(7, `lat_mmap/size=(\w+)`), figure(5, "lat_sig/op=prot"), figure(7, "lat_pagefault"), figure(5, "lat_select/fds=100/for=write", "lat_select/fds=100"),
		},
	},
	{
		title: "*Local* Communication bandwidths in MB/s - bigger is better", rule: 77, rate: true,
		head: [4]string{
			"          OS  Pipe AF    TCP  File   Mmap  Bcopy  Bcopy  Mem   Mem",
			"                   UNIX      reread reread (libc) (hand) read write",
			"",
			"------------- ---- ---- ---- ------ ------ ------ ------ ---- -----",
		},
		columns: []column{
			figure(4, "bw_pipe"), figure(4, "bw_unix"), largest(4, `bw_tcp/m=(\w+)`), largest(6, `bw_file_rd/size=(\w+)/op=io_only`),
			largest(6, `bw_mmap_rd/size=(\w+)/op=mmap_only`), largest(6, `bw_mem/size=(\w+)/op=bcopy`), largest(6, `bw_mem/size=(\w+)/op=fcp`),
			largest(4, `bw_mem/size=(\w+)/op=frd`), largest(5, `bw_mem/size=(\w+)/op=fwr`),
		},
	},
}

// summary is one that is being written.
type summary struct {
	b    *bufio.Writer
	rows []row
	run  *results.Run
	unit string
}

// Columns of a row before its figures.
const (
	hostWidth        = 9
	placeWidth       = 13
	descriptionWidth = 23
)

// section writes a table. The first two columns grow where names would not fit.
func (s summary) section(t section) {
	if t.rate && s.unit != MicrosecondUnit {
		return
	}
	basic := t.title == sections[0].title
	host, place := hostWidth, placeWidth
	for _, r := range s.rows {
		host, place = max(host, len(r.build)), max(place, len(r.place))
	}
	if !basic {
		fmt.Fprintln(s.b)
	}
	fmt.Fprintf(s.b, "%s\n%s\n", s.title(t), strings.Repeat("-", t.rule+host-hostWidth+place-placeWidth))
	for i, line := range t.head {
		if line == "" {
			continue
		}
		filler, first := " ", ""
		switch i {
		case 0:
			first = "Host"
		case len(t.head) - 1:
			filler, first = "-", strings.Repeat("-", host)
		}
		text := fmt.Sprintf("%-*s %s%s", host, first, strings.Repeat(filler, place-placeWidth), line)
		fmt.Fprintln(s.b, strings.TrimRight(text, " "))
	}
	for _, r := range s.rows {
		s.row(t, r, host, place, basic)
	}
}

// title is a table's, with what its figures are.
func (s summary) title(t section) string {
	switch {
	case t.times == "":
		return t.title
	case s.unit == MicrosecondUnit:
		return t.title + t.times + " - smaller is better"
	}
	return t.title + " - " + s.unit + " - smaller is better"
}

func (s summary) row(t section, r row, host, place int, basic bool) {
	var line strings.Builder
	fmt.Fprintf(&line, "%-*s %*s", host, r.build, place, r.place)
	if basic {
		fmt.Fprintf(&line, " %*.*s", descriptionWidth, descriptionWidth, s.description(r))
	}
	for _, c := range t.columns {
		text := ""
		if v, ok := c.value(s, r); ok {
			text = number(v, c.width)
			if c.whole {
				text = strconv.FormatFloat(v, 'f', 0, 64)
			}
		}
		fmt.Fprintf(&line, " %*.*s", c.width, c.width, text)
	}
	fmt.Fprintln(s.b, strings.TrimRight(line.String(), " "))
}

// description is what is known of a build: its revision, or how its hooks are
// reached.
func (s summary) description(r row) string {
	if s.run == nil {
		return ""
	}
	for _, img := range s.run.Images {
		if img.Build.Name == r.build {
			if img.Revision != "" {
				return img.Revision
			}
			return img.Dispatch
		}
	}
	return ""
}

// clock is the clock rate in the processor's name, of runs that do not have it by
// itself.
var clock = regexp.MustCompile(`@ *([0-9.]+) *([GM])Hz`)

// mhz is the processor's clock rate.
func (s summary) mhz(row) (float64, bool) {
	if s.run == nil {
		return 0, false
	}
	if s.run.Host.MHz > 0 {
		return s.run.Host.MHz, true
	}
	m := clock.FindStringSubmatch(s.run.Host.CPU)
	if m == nil {
		return 0, false
	}
	v, err := strconv.ParseFloat(m[1], 64)
	if m[2] == "G" {
		v *= 1000
	}
	return v, err == nil
}

// one is the load: a summary is of one process at a time.
func one(summary, row) (float64, bool) { return 1, true }

// found is what a benchmark that measures itself found out about the processor, in a
// unit of its own. It is 0 where nothing showed.
func found(width int, name, unit string, whole bool) column {
	return column{width: width, whole: whole, value: func(_ summary, r row) (float64, bool) {
		v := r.values[inUnit(name, unit)]
		return v, v > 0
	}}
}

// scaled is a figure in the table's unit: times are in microseconds there.
func (s summary) scaled(name string, v float64) float64 {
	if s.unit == MicrosecondUnit && !strings.HasPrefix(name, "bw_") {
		return v / 1000
	}
	return v
}

// figure is the first of some benchmarks that there is: where lmbench's own is
// another than the plain one, it comes first.
func figure(width int, names ...string) column {
	return column{width: width, value: func(s summary, r row) (float64, bool) {
		for _, name := range names {
			if v, ok := r.values[name]; ok {
				return s.scaled(name, v), true
			}
		}
		return 0, false
	}}
}

// nullIO is the mean of reading from and writing to devices that do nothing.
func nullIO(s summary, r row) (float64, bool) {
	const read, write = "lat_syscall/op=read", "lat_syscall/op=write"
	a, isRead := r.values[read]
	b, isWritten := r.values[write]
	switch {
	case isRead && isWritten:
		return s.scaled(read, (a+b)/2), true
	case isWritten:
		return s.scaled(write, b), true
	}
	return 0, false
}

// largest is the benchmark of the largest size, in the pattern's group.
func largest(width int, pattern string) column {
	re := regexp.MustCompile("^" + pattern + "$")
	return column{width: width, value: func(s summary, r row) (best float64, found bool) {
		most := int64(-1)
		for name, v := range r.values {
			if m := re.FindStringSubmatch(name); m != nil && sizeOf(m[1]) > most {
				most, best, found = sizeOf(m[1]), s.scaled(name, v), true
			}
		}
		return best, found
	}}
}

// sizeOf reads a size as lmbench's programs do: 512k, 1M; 0 if it is none.
func sizeOf(text string) int64 {
	if text == "" {
		return 0
	}
	factor := int64(1)
	switch text[len(text)-1] {
	case 'k', 'K':
		factor = 1 << 10
	case 'm', 'M':
		factor = 1 << 20
	}
	n, err := strconv.ParseInt(strings.TrimRight(text, "kKmM"), 10, 64)
	if err != nil {
		return 0
	}
	return n * factor
}

// number is a number as getsummary writes it in so many columns. What is too
// long is cut behind its point; nothing above zero is blank.
func number(v float64, width int) string {
	switch {
	case v <= 0:
		return ""
	case v >= 10e6 || v/1e3 >= math.Pow10(width-1)-0.05: // or thousands do not fit
		return cut(strconv.FormatFloat(v/1e6, 'f', 1, 64), width-1) + "M"
	case v >= 10e3:
		return cut(strconv.FormatFloat(v/1e3, 'f', 1, 64), width-1) + "K"
	case v >= 10:
		return cut(strconv.FormatFloat(v, 'f', 1, 64), width)
	case v < 0.001:
		return cut(strconv.FormatFloat(v, 'e', max(0, width-6), 64), width)
	}
	return cut(strconv.FormatFloat(v, 'f', width-2, 64), width)
}

func cut(text string, width int) string { return text[:min(len(text), width)] }
