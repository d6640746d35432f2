// Package require says what a test needs of a machine. Where that is missing the
// test is skipped, and "make test" lists what was; where everything must be
// there (XSMBENCH_REQUIRE=all, as in continuous integration) the test fails. What
// no package has, and only its user can give, is never required.
package require

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Program is a program that the test starts, with the Debian package that has
// it. It returns the program's path.
func Program(t testing.TB, name, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		Missing(t, fmt.Sprintf("%s (apt-get install %s)", name, pkg))
	}
	return path
}

// browsers are the names that Chromium goes by.
var browsers = []string{"chromium", "chromium-browser", "google-chrome"}

// Browser is the path of Chromium.
func Browser(t testing.TB) string {
	t.Helper()
	for _, name := range browsers {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	Missing(t, "a browser, one of "+strings.Join(browsers, ", ")+" (apt-get install chromium)")
	return ""
}

// Missing skips the test, or fails it, for want of what is named.
func Missing(t testing.TB, what string) {
	t.Helper()
	if Everything() {
		t.Fatalf("this test needs %s", what)
	}
	note(fmt.Sprintf("%s needs %s", t.Name(), what))
	t.Skipf("SKIPPED: it needs %s", what)
}

// Given is the value of a variable that names what no package has and only its
// user can give, such as a repository of Xen. Without it the test is skipped,
// also where everything must be there.
func Given(t testing.TB, variable, what string) string {
	t.Helper()
	value := os.Getenv(variable)
	if value == "" {
		note(fmt.Sprintf("%s needs %s: set %s", t.Name(), what, variable))
		t.Skipf("SKIPPED: it needs %s: set %s", what, variable)
	}
	return value
}

// Everything says that nothing may be missing.
func Everything() bool { return os.Getenv("XSMBENCH_REQUIRE") == "all" }

// Simulations skips a test that simulates many runs, unless it is asked for
// (XSMBENCH_SIMULATE=1, as "make test-simulations" does).
func Simulations(t testing.TB) {
	t.Helper()
	if os.Getenv("XSMBENCH_SIMULATE") != "1" {
		t.Skip("simulates many runs: make test-simulations")
	}
}

// note adds a line to the list that "make test" prints at its end.
func note(line string) {
	list := os.Getenv("XSMBENCH_SKIPPED")
	if list == "" {
		return
	}
	f, err := os.OpenFile(list, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return // the test's own output has it, too
	}
	defer f.Close()
	fmt.Fprintln(f, line)
}
