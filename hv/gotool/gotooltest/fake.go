// Package gotooltest has a go command for tests: a shell script that compiles a
// program by putting its files together.
package gotooltest

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Fake is the go command in PATH.
type Fake struct {
	t   *testing.T
	dir string
}

// script answers the go commands that package gotool gives. What a test wants
// to be done before is in a file named on-COMMAND.
const script = `#!/bin/sh
dir=$(dirname "$0")
echo "$*" >>"$dir/calls"
command=$1
for last; do
	if [ "$previous" = -o ]; then out=$last; fi
	previous=$last
done
if [ -f "$dir/on-$command" ]; then . "$dir/on-$command"; fi
case $command in
env)
	echo "{\"GOVERSION\":\"go1.99\",\"GOOS\":\"linux\",\"GOARCH\":\"$GOARCH\",\"GOFLAGS\":\"$GOFLAGS\",\"GOWORK\":\"\"}" ;;
list)
	echo "{\"ImportPath\":\"xsmbench/$last\",\"Dir\":\"$PWD/${last#./}\",\"Module\":{\"GoMod\":\"$PWD/go.mod\"}}" ;;
build)
	for f in "$last"/*.go; do
		case $f in *_test.go) ;; *) cat "$f" ;; esac
	done >"$out"
	chmod +x "$out" ;;
esac
`

// New puts the fake first into PATH.
func New(t *testing.T) *Fake {
	t.Helper()
	f := &Fake{t: t, dir: t.TempDir()}
	f.write("go", script)
	t.Setenv("PATH", f.dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	return f
}

// On has a command do something before, in the language of the shell, or
// instead, if that exits. $dir is a folder of the fake's.
func (f *Fake) On(command, script string) {
	f.t.Helper()
	f.write("on-"+command, script+"\n")
}

// Meet makes a place at which a command can wait: "read go <$dir/NAME" waits
// until the returned function is called, which itself waits for that.
func (f *Fake) Meet(name string) (goOn func()) {
	f.t.Helper()
	path := filepath.Join(f.dir, name)
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		f.t.Fatal(err)
	}
	return func() {
		f.t.Helper()
		pipe, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			f.t.Fatal(err)
		}
		defer pipe.Close()
		if _, err := pipe.WriteString("on\n"); err != nil {
			f.t.Fatal(err)
		}
	}
}

// Calls counts the calls of a command so far, such as "build".
func (f *Fake) Calls(command string) int {
	f.t.Helper()
	file, err := os.Open(filepath.Join(f.dir, "calls"))
	if os.IsNotExist(err) {
		return 0
	}
	if err != nil {
		f.t.Fatal(err)
	}
	defer file.Close()
	n := 0
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if first, _, _ := strings.Cut(lines.Text(), " "); first == command {
			n++
		}
	}
	return n
}

func (f *Fake) write(name, text string) {
	f.t.Helper()
	// Not written in place: a shell that is being started may have it open.
	tmp := filepath.Join(f.dir, name+".new")
	if err := os.WriteFile(tmp, []byte(text), 0o755); err != nil {
		f.t.Fatal(err)
	}
	if err := os.Rename(tmp, filepath.Join(f.dir, name)); err != nil {
		f.t.Fatal(err)
	}
}
