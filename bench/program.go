package bench

import (
	"fmt"
	"sort"
	"strings"
)

// Program is what an executable file of a domain runs.
type Program func(os OS, args []string) int

// Executable is a file that the benchmarks expect in the domain's file
// system. A target installs every one of Executables before it measures.
type Executable struct {
	Path string // absolute
	// Text and Data are the sizes in bytes that exec maps: text shared and
	// read-only, data private and writable.
	Text, Data int
	Main       Program
}

var executables = map[string]Executable{}

// RegisterExecutable adds an executable file; it is called from init
// functions and panics if the path is not absolute or already taken.
func RegisterExecutable(e Executable) {
	if !strings.HasPrefix(e.Path, "/") || e.Main == nil {
		panic(fmt.Sprintf("register executable %q: no absolute path or no program", e.Path))
	}
	if _, ok := executables[e.Path]; ok {
		panic(fmt.Sprintf("register executable %q: already registered", e.Path))
	}
	executables[e.Path] = e
}

// Executables returns the registered executable files, sorted by path.
func Executables() []Executable {
	list := make([]Executable, 0, len(executables))
	for _, e := range executables {
		list = append(list, e)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Path < list[j].Path })
	return list
}

func init() {
	RegisterExecutable(Executable{Path: "/bin/hello", Text: 8 << 10, Data: 4 << 10, Main: hello})
	RegisterExecutable(Executable{Path: "/bin/sh", Text: 96 << 10, Data: 16 << 10, Main: shell})
}

// hello is the program that lat_proc starts: it does nothing but say so.
func hello(os OS, _ []string) int {
	os.Write(1, greeting)
	return 0
}

var greeting = []byte("Hello world\n")

// shell runs "sh -c COMMAND" as a small /bin/sh does: a child of the shell
// execs the command's words, and the shell waits for it.
func shell(os OS, args []string) int {
	if len(args) < 3 || args[1] != "-c" {
		return 2
	}
	words := strings.Fields(args[2])
	if len(words) == 0 {
		return 0
	}
	pid, err := os.Fork(func(os OS) int { return os.Exec(words[0], words...) })
	if err != nil {
		return 126
	}
	status, err := os.Wait(pid)
	if err != nil {
		return 126
	}
	return status
}
