package kernbench

import (
	"encoding/binary"
	"errors"
	"strconv"
	"strings"

	"xsmbench/abi"
	"xsmbench/bench"
)

// The programs of a compilation, after what strace shows of a kernel's make:
// make starts a shell for each file, the shell the compiler's driver, the
// driver the compiler proper and then the assembler; at the end, the linker.
const (
	makePath   = "/usr/bin/make"
	driverPath = "/usr/bin/gcc"
	cc1Path    = "/usr/lib/cc1"
	asPath     = "/usr/bin/as"
	ldPath     = "/usr/bin/ld"
)

func init() {
	for _, e := range []bench.Executable{
		{Path: makePath, Text: 64 << 10, Data: 16 << 10, Main: mainMake},
		{Path: driverPath, Text: 64 << 10, Data: 16 << 10, Main: mainDriver},
		{Path: cc1Path, Text: 256 << 10, Data: 64 << 10, Main: mainCC1},
		{Path: asPath, Text: 128 << 10, Data: 32 << 10, Main: mainAS},
		{Path: ldPath, Text: 128 << 10, Data: 32 << 10, Main: mainLD},
	} {
		bench.RegisterExecutable(e)
	}
}

// What a compilation does besides: how many directories it looks for headers
// in, how much memory it grows by, how long it computes.
const (
	searchPath   = 3
	anonPages    = 96
	computeSteps = 800_000
	stepsPerTurn = 20_000 // between two looks at memory
)

// Exit statuses of the programs.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

var errShort = errors.New("less than asked for")

// cause is err, or, where a call moved too little without an error, that.
func cause(err error) error {
	if err == nil {
		return errShort
	}
	return err
}

// mainMake is make -j JOBS SOURCES HEADERS: it compiles every source and links
// the objects.
func mainMake(os bench.OS, args []string) int {
	numbers, ok := parse(args, 2, 3)
	if !ok || args[1] != "-j" {
		return exitUsage
	}
	m, err := newJobServer(os, numbers[0])
	if err != nil {
		return exitFailed
	}
	defer m.close()
	for i := range numbers[1] {
		command := strings.Join([]string{driverPath, "-c", strconv.Itoa(i), strconv.Itoa(numbers[2])}, " ")
		if !m.start(command) {
			m.drain()
			return exitFailed
		}
	}
	if !m.drain() {
		return exitFailed
	}
	return runProgram(os, ldPath, strconv.Itoa(numbers[1]))
}

// parse reads count numbers from args[from:].
func parse(args []string, from, count int) ([]int, bool) {
	if len(args) != from+count {
		return nil, false
	}
	list := make([]int, count)
	for i := range list {
		n, err := strconv.Atoi(args[from+i])
		if err != nil || n < 0 {
			return nil, false
		}
		list[i] = n
	}
	return list, true
}

// jobServer is make's: a pipe holds a token for each job beyond the first. A
// job that starts takes one, and make puts it back when it reaps the job.
type jobServer struct {
	os      bench.OS
	r, w    bench.FD
	running int
	failed  bool
	token   []byte
}

func newJobServer(os bench.OS, jobs int) (*jobServer, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	m := &jobServer{os: os, r: r, w: w, token: []byte{'+'}}
	for range jobs - 1 {
		if n, err := os.Write(w, m.token); n != 1 {
			m.close()
			return nil, cause(err)
		}
	}
	return m, nil
}

func (m *jobServer) close() {
	m.os.Close(m.r)
	m.os.Close(m.w)
}

// start runs a command in a shell as soon as there is a token; it is false if
// a job has failed.
func (m *jobServer) start(command string) bool {
	for m.running > 0 && !m.take() && !m.failed {
		m.reap()
	}
	if m.failed {
		return false
	}
	pid, err := m.os.Fork(func(os bench.OS) int {
		m.closeIn(os)
		return os.Exec("/bin/sh", "sh", "-c", command)
	})
	if err != nil || pid <= 0 {
		m.failed = true
		return false
	}
	m.running++
	return true
}

// closeIn closes a child's descriptors of the pipe.
func (m *jobServer) closeIn(os bench.OS) {
	os.Close(m.r)
	os.Close(m.w)
}

// take takes a token if there is one.
func (m *jobServer) take() bool {
	var set bench.FDSet
	set.Set(m.r)
	if n, err := m.os.Select(int(m.r)+1, &set); n != 1 || err != nil {
		return false
	}
	n, err := m.os.Read(m.r, m.token)
	return n == 1 && err == nil
}

// reap waits for a job to end. The last one has no token of its own.
func (m *jobServer) reap() {
	status, err := m.os.Wait(-1)
	m.running--
	if err != nil || status != exitOK {
		m.failed = true
	}
	if m.running > 0 {
		if n, _ := m.os.Write(m.w, m.token); n != 1 {
			m.failed = true
		}
	}
}

// drain waits for all jobs and says whether every one succeeded.
func (m *jobServer) drain() bool {
	for m.running > 0 {
		m.reap()
	}
	return !m.failed
}

// runProgram forks, execs and waits.
func runProgram(os bench.OS, path string, args ...string) int {
	argv := append([]string{path}, args...)
	pid, err := os.Fork(func(os bench.OS) int { return os.Exec(path, argv...) })
	if err != nil {
		return exitFailed
	}
	status, err := os.Wait(pid)
	if err != nil {
		return exitFailed
	}
	return status
}

// mainDriver is gcc -c SOURCE HEADERS: the compiler proper writes assembly,
// the assembler an object, and the assembly goes.
func mainDriver(os bench.OS, args []string) int {
	numbers, ok := parse(args, 2, 2)
	if !ok || args[1] != "-c" {
		return exitUsage
	}
	source := strconv.Itoa(numbers[0])
	if status := runProgram(os, cc1Path, source, strconv.Itoa(numbers[1])); status != exitOK {
		return status
	}
	status := runProgram(os, asPath, source)
	if err := os.Unlink(assemblyPath(numbers[0])); err != nil {
		return exitFailed
	}
	return status
}

func assemblyPath(i int) string { return treeDir + "s" + strconv.Itoa(i) }

// mainCC1 is cc1 SOURCE HEADERS: it pages itself in, looks for headers along
// the search path and reads them, grows, computes, and writes assembly.
func mainCC1(os bench.OS, args []string) int {
	numbers, ok := parse(args, 1, 2)
	if !ok {
		return exitUsage
	}
	h := newHash()
	if !pageIn(os, compilerText, compilerTextSize, &h) {
		return exitFailed
	}
	heap, err := os.Mmap(anonPages*abi.PageSize, bench.PROT_READ|bench.PROT_WRITE, bench.MAP_PRIVATE|bench.MAP_ANONYMOUS, -1, 0)
	if err != nil {
		return exitFailed
	}
	buf := make([]byte, sourceSize)
	if !readWhole(os, sourcePath(numbers[0]), buf, &h) {
		return exitFailed
	}
	for i := range numbers[1] {
		if !include(os, i, buf, &h) {
			return exitFailed
		}
	}
	compute(os, heap, &h)
	return writeResult(os, assemblyPath(numbers[0]), 2*sourceSize, h)
}

// include looks for a header where it is not, as often as the search path is
// long, and reads it where it is.
func include(os bench.OS, i int, buf []byte, h *hash) bool {
	var st bench.Stat
	for dir := range searchPath - 1 {
		path := treeDir + "include" + strconv.Itoa(dir) + "-h" + strconv.Itoa(i)
		if err := os.Stat(path, &st); !errors.Is(err, abi.ENOENT) {
			return false
		}
	}
	if err := os.Stat(headerPath(i), &st); err != nil {
		return false
	}
	return readWhole(os, headerPath(i), buf, h)
}

// compute touches the heap, a page per turn, and computes in between.
func compute(os bench.OS, heap bench.Addr, h *hash) {
	page := 0
	for done := 0; done < computeSteps; done += stepsPerTurn {
		for range anonPages * stepsPerTurn / computeSteps {
			os.Store(heap+bench.Addr(page*abi.PageSize), byte(*h))
			page++
		}
		h.steps(stepsPerTurn)
	}
	for ; page < anonPages; page++ {
		os.Store(heap+bench.Addr(page*abi.PageSize), byte(*h))
	}
}

// mainAS is as SOURCE: it reads assembly and writes an object under another
// name, which it then gives its own.
func mainAS(os bench.OS, args []string) int {
	numbers, ok := parse(args, 1, 1)
	if !ok {
		return exitUsage
	}
	h := newHash()
	buf := make([]byte, sourceSize)
	if !readWhole(os, assemblyPath(numbers[0]), buf, &h) {
		return exitFailed
	}
	h.steps(stepsPerTurn)
	object := objectPath(numbers[0])
	if status := writeResult(os, object+".tmp", sourceSize/2, h); status != exitOK {
		return status
	}
	if err := os.Rename(object+".tmp", object); err != nil {
		return exitFailed
	}
	return exitOK
}

// mainLD is ld OBJECTS: it maps every object and writes the image.
func mainLD(os bench.OS, args []string) int {
	numbers, ok := parse(args, 1, 1)
	if !ok {
		return exitUsage
	}
	h := newHash()
	for i := range numbers[0] {
		if !pageIn(os, objectPath(i), sourceSize/2, &h) {
			return exitFailed
		}
	}
	return writeResult(os, imagePath, numbers[0]*sourceSize/2, h)
}

// pageIn maps a file and touches its pages.
func pageIn(os bench.OS, path string, size int, h *hash) bool {
	fd, err := os.Open(path, bench.O_RDONLY)
	if err != nil {
		return false
	}
	defer os.Close(fd)
	at, err := os.Mmap(size, bench.PROT_READ, bench.MAP_PRIVATE, fd, 0)
	if err != nil {
		return false
	}
	for off := 0; off < size; off += abi.PageSize {
		h.add(os.Load(at + bench.Addr(off)))
	}
	return os.Munmap(at, size) == nil
}

// readWhole reads a file through buf.
func readWhole(os bench.OS, path string, buf []byte, h *hash) bool {
	fd, err := os.Open(path, bench.O_RDONLY)
	if err != nil {
		return false
	}
	defer os.Close(fd)
	for {
		n, err := os.Read(fd, buf)
		if err != nil {
			return false
		}
		if n == 0 {
			return true
		}
		h.add(buf[0])
		h.add(buf[n-1])
	}
}

// writeResult writes a file whose content depends on all that was computed.
func writeResult(os bench.OS, path string, size int, h hash) int {
	fd, err := os.Open(path, bench.O_WRONLY|bench.O_CREAT|bench.O_TRUNC)
	if err != nil {
		return exitFailed
	}
	defer os.Close(fd)
	data := make([]byte, size)
	for b := data; len(b) >= 4; b = b[4:] {
		h.steps(1)
		binary.LittleEndian.PutUint32(b, uint32(h))
	}
	if n, err := os.Write(fd, data); n != size || err != nil {
		return exitFailed
	}
	return exitOK
}

// hash is the compiler's computation: FNV-1a's step, which depends on the one
// before it.
type hash uint32

func newHash() hash { return 2166136261 }

func (h *hash) add(b byte) { *h = (*h ^ hash(b)) * 16777619 }

func (h *hash) steps(n int) {
	v := *h
	for i := range n {
		v = (v ^ hash(i&0xff)) * 16777619
	}
	*h = v
}
