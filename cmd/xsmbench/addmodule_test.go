package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestAddAModule does what docs/add-a-module.md shows, from an empty folder to a
// report: it writes the file that is shown, and runs every command of the first
// block.
func TestAddAModule(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and boots the model")
	}
	text, err := os.ReadFile("../../docs/add-a-module.md")
	if err != nil {
		t.Fatal(err)
	}
	caches, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOCACHE", strings.TrimSpace(string(caches))) // docDir moves others
	dir := docDir(t)
	for name, text := range shownFiles(string(text)) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	commands := blocks(string(text))[0].commands
	if len(commands) != 5 {
		t.Fatalf("%d commands are shown, want five", len(commands))
	}
	for _, c := range commands {
		if out, code := shell(t, dir, c.text); code != 0 {
			t.Fatalf("line %d: %s: exit code %d\n%s", c.line, c.text, code, out)
		}
	}
	report := read(t, filepath.Join(dir, "runs/pairs/report/index.html"))
	for _, want := range []string{"pairs", "Kbench/hypercall/op=xsm_op", "pairs.pol, SHA-256 ", ", enforcing"} {
		if !strings.Contains(report, want) {
			t.Errorf("the report does not say %q", want)
		}
	}
	consoles, err := filepath.Glob(filepath.Join(dir, "runs/pairs/console/*-pairs.log"))
	if err != nil || len(consoles) == 0 {
		t.Fatalf("no console of the module's machines: %v", err)
	}
	if console := read(t, consoles[0]); !strings.Contains(console, "pairs: a policy of 1 pairs") {
		t.Errorf("the module did not load its policy:\n%s", console)
	}
	if results := read(t, filepath.Join(dir, "runs/pairs/results/pairs-amd64-domU.txt")); !regexp.MustCompile(`(?m)^BenchmarkKbench/hypercall/op=xsm_op \d+ `).MatchString(results) {
		t.Errorf("the module's own hypercall was not measured:\n%s", results)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// shownFiles are the files of a document, by name: blocks that begin with
// "```LANGUAGE NAME".
func shownFiles(text string) map[string]string {
	files := map[string]string{}
	for _, m := range regexp.MustCompile("(?ms)^```\\w+ (\\w+\\.\\w+)\\n(.*?)^```$").FindAllStringSubmatch(text, -1) {
		files[m[1]] = m[2]
	}
	return files
}
