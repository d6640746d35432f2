package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"xsmbench/cmd/xsmbench/internal/cli"
	"xsmbench/reports/synthetic"
)

// TestDocumentation executes what the documentation shows (README.md and
// docs/*.md, each in a directory of its own that begins as a copy of
// docs/testdata, for history.md with its invented nights):
//
//	```console
//	$ xsmbench list builds
//	target  build …
//	…
//	```
//
// Every line that begins with "$ xsmbench" is run by the shell, and what
// follows it must be what it prints: "…" in a line stands for any text, "…"
// alone for any lines, and no line at all for any output. The exit code must
// be 0, unless "$ echo $?" and a code follow. Other commands are not run.
//
// In blocks marked "sh", and "console norun", command lines of xsmbench are
// only parsed.
func TestDocumentation(t *testing.T) {
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("no documentation: %v", err)
	}
	if _, err := os.Stat("../../README.md"); err == nil {
		files = append(files, "../../README.md")
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			var dir string
			for _, b := range blocks(string(text)) {
				if !b.run {
					b.parse(t)
					continue
				}
				if dir == "" {
					dir = docDir(t)
					if filepath.Base(file) == "history.md" {
						makeNights(t, dir)
					}
				}
				b.execute(t, dir)
			}
		})
	}
}

// block is a fenced block of commands.
type block struct {
	line     int // of its fence
	run      bool
	commands []command
}

type command struct {
	line int
	text string
	want []string // output; nil for any
}

// blocks finds the fenced blocks that hold commands.
func blocks(text string) []block {
	var list []block
	var open *block
	fence := ""
	for i, line := range strings.Split(text, "\n") {
		bare := strings.TrimSpace(line)
		switch {
		case fence == "" && strings.HasPrefix(bare, "```"):
			fence = "```"
			switch info := strings.TrimPrefix(bare, "```"); info {
			case "console", "console norun", "sh":
				open = &block{line: i + 1, run: info == "console"}
			}
		case fence != "" && bare == fence:
			if open != nil {
				list = append(list, *open)
			}
			open, fence = nil, ""
		case open != nil:
			open.add(i+1, line)
		}
	}
	return list
}

// add takes a line of the block; a command that ends in a backslash goes on.
func (b *block) add(n int, line string) {
	last := len(b.commands) - 1
	text, prompt := strings.CutPrefix(strings.TrimSpace(line), "$ ")
	switch {
	case last >= 0 && b.commands[last].want == nil && strings.HasSuffix(b.commands[last].text, "\\"):
		b.commands[last].text = strings.TrimSuffix(b.commands[last].text, "\\") + text
	case prompt, !b.run && strings.HasPrefix(text, "xsmbench"):
		b.commands = append(b.commands, command{line: n, text: text})
	case last >= 0:
		b.commands[last].want = append(b.commands[last].want, line)
	}
}

// parse checks command lines without running them.
func (b *block) parse(t *testing.T) {
	for _, c := range b.commands {
		if !isOurs(c.text) {
			continue
		}
		words, _, _ := strings.Cut(strings.TrimPrefix(c.text, "xsmbench"), " > ") // without a redirection
		out, err := exec.Command("sh", "-c", "printf '%s\\n' "+words).Output()
		if err != nil {
			t.Errorf("line %d: split %q: %v", c.line, c.text, err)
			continue
		}
		var args []string
		if words := strings.TrimSuffix(string(out), "\n"); words != "" {
			args = strings.Split(words, "\n")
		}
		if err := cli.Check(args); err != nil {
			t.Errorf("line %d: %s: %v", c.line, c.text, err)
		}
	}
}

func isOurs(text string) bool { return text == "xsmbench" || strings.HasPrefix(text, "xsmbench ") }

// execute runs the block's commands in dir.
func (b *block) execute(t *testing.T, dir string) {
	code := 0
	for i, c := range b.commands {
		switch {
		case isOurs(c.text):
			var out string
			out, code = shell(t, dir, c.text)
			told := i+1 < len(b.commands) && b.commands[i+1].text == "echo $?"
			if code != 0 && !told {
				t.Errorf("line %d: %s: exit code %d\n%s", c.line, c.text, code, out)
			}
			if err := match(c.want, out); err != nil {
				t.Errorf("line %d: %s: %v\noutput:\n%s", c.line, c.text, err, out)
			}
		case c.text == "echo $?":
			if err := match(c.want, fmt.Sprintln(code)); err != nil {
				t.Errorf("line %d: exit code: %v", c.line, err)
			}
		}
	}
}

// match compares output with the lines that the documentation shows.
func match(want []string, out string) error {
	for len(want) > 0 && strings.TrimSpace(want[len(want)-1]) == "" {
		want = want[:len(want)-1]
	}
	if len(want) == 0 {
		return nil
	}
	var re strings.Builder
	re.WriteString(`^`)
	for _, line := range want {
		line = strings.TrimRight(line, " ")
		if strings.TrimSpace(line) == "…" {
			re.WriteString(`(?:.*\n)*`)
			continue
		}
		parts := strings.Split(line, "…")
		for i, p := range parts {
			parts[i] = regexp.QuoteMeta(p)
		}
		re.WriteString(strings.Join(parts, `.*`) + ` *\n`)
	}
	re.WriteString(`\n*$`)
	ok, err := regexp.MatchString(re.String(), out)
	if err == nil && !ok {
		err = errors.New("the output is not what is shown")
	}
	return err
}

func shell(t *testing.T, dir, text string) (out string, code int) {
	t.Helper()
	cmd := exec.Command("sh", "-c", text)
	cmd.Dir = dir
	b, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", text, err)
	}
	return string(b), cmd.ProcessState.ExitCode()
}

// docDir is a working directory with this program in PATH.
func docDir(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(self, filepath.Join(bin, "xsmbench")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	// What the documentation shows may empty the store: not the user's.
	for _, name := range []string{"XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"} {
		t.Setenv(name, t.TempDir())
	}
	dir := t.TempDir()
	if _, err := os.Stat("../../docs/testdata"); err == nil {
		if err := os.CopyFS(dir, os.DirFS("../../docs/testdata")); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// makeNights makes the run directories that docs/history.md is about.
func makeNights(t *testing.T, dir string) {
	t.Helper()
	if err := synthetic.WriteNightly(filepath.Join(dir, "nightly")); err != nil {
		t.Fatal(err)
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		want, out string
		ok        bool
	}{
		{"", "anything\n", true},
		{"a\nb", "a\nb\n", true},
		{"a\nb", "a\n", false},
		{"a\n…\nd", "a\nb\nc\nd\n", true},
		{"a\n…\nd", "a\nb\nc\n", false},
		{"a … c", "a b (b) c\n", true},
		{"a.c", "abc\n", false},
	} {
		var want []string
		if c.want != "" {
			want = strings.Split(c.want, "\n")
		}
		if err := match(want, c.out); (err == nil) != c.ok {
			t.Errorf("%q, %q: %v", c.want, c.out, err)
		}
	}
}
