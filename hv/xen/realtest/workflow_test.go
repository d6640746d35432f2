//go:build realxen

package realtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"xsmbench/reports/ci"
)

// experiment is committed with the tree of Xen: the workflows give it to run,
// so that few benchmarks are measured, in one domain.
const experiment = `domains = ["dom0"]
bench = 'hypercall/op=(xen_version|evtchn_status|evtchn_alloc_close)$'
margin = "0.5%"
`

// plantedRow is the row that work in a hook makes slower.
const plantedRow = "Kbench/hypercall/op=evtchn_status"

// TestWorkflow executes the pipelines that are ready to copy (docs/ci), each
// for a change that makes a hook slower, and for one that does not. What a runner does
// is done here as it would; gh and curl are fake.
func TestWorkflow(t *testing.T) {
	t.Parallel()
	r := newRepositories(t)
	t.Run("GitHub", func(t *testing.T) { testGitHub(t, r) })
	t.Run("GitLab", func(t *testing.T) { testGitLab(t, r) })
}

func testGitHub(t *testing.T, r *repositories) {
	w := readGitHub(t)

	job := newGitHubRun(t, r, "planted")
	if failed := job.run(t, w); failed["measure"] != "Gate" || failed["comment"] != "" {
		t.Errorf("the steps that failed: %q", failed)
	}
	checkBuilds(t, filepath.Join(job.artifacts, "run"), r.commits["main"], r.commits["planted-merge"])
	checkSlower(t, filepath.Join(job.artifacts, "reports"), job.summaries["Gate"])
	const comments = `api --paginate repos/developer/xen/issues/7/comments --jq .[] | select(.body | startswith("` + ci.CommentMark + `")) | .id`
	const comment = "repos/developer/xen/issues/comments/"
	job.fake.check(t, comments, "pr comment 7 --repo developer/xen --body-file reports/comment.md", commentIn(t, job.artifacts))

	job.fake.answer(t, "15\n17\n")
	job.runJob(t, w, "comment")
	job.fake.check(t, comments, "api --method PATCH "+comment+"17 -F body=@reports/comment.md", commentIn(t, job.artifacts))

	job = newGitHubRun(t, r, "harmless")
	job.fake.answer(t, "17\n")
	if failed := job.run(t, w); len(failed) != 0 {
		t.Errorf("a harmless change: the steps that failed: %q", failed)
	}
	checkPassed(t, filepath.Join(job.artifacts, "reports"), job.summaries["Gate"])
	job.fake.check(t, comments, "api --method DELETE "+comment+"17", "")

	job.fake.answer(t, "")
	job.runJob(t, w, "comment")
	job.fake.check(t, comments, "", "")

	if err := os.RemoveAll(filepath.Join(job.artifacts, "reports")); err != nil {
		t.Fatal(err)
	}
	job.runJob(t, w, "comment")
	job.fake.check(t, "", "", "")
}

func testGitLab(t *testing.T, r *repositories) {
	c := readGitLab(t)
	const notes = "https://gitlab.example/api/v4/projects/3/merge_requests/5/notes"

	job := newGitLabRun(t, r, c, "planted")
	job.fake.answer(t, notesJSON(t, true))
	if code := job.script(t); code != 1 {
		t.Errorf("a slower hook: exit code %d, want 1", code)
	}
	checkBuilds(t, filepath.Join(job.dir, ".run"), r.commits["fork"], r.commits["planted"])
	reports := filepath.Join(job.dir, "reports")
	checkSlower(t, reports, read(t, filepath.Join(reports, "summary.md")))
	job.after(t)
	job.fake.check(t, notes, "--form body=<reports/comment.md "+notes, commentIn(t, job.dir))
	for _, escaped := range []bool{false, true} {
		job.fake.answer(t, notesJSON(t, escaped, 15, 17))
		job.after(t)
		job.fake.check(t, notes, "--request PUT --form body=<reports/comment.md "+notes+"/17", commentIn(t, job.dir))
	}

	job = newGitLabRun(t, r, c, "harmless-merge")
	if code := job.script(t); code != 0 {
		t.Errorf("a harmless change: exit code %d", code)
	}
	checkBuilds(t, filepath.Join(job.dir, ".run"), r.commits["main"], r.commits["harmless-merge"])
	reports = filepath.Join(job.dir, "reports")
	checkPassed(t, reports, read(t, filepath.Join(reports, "summary.md")))
	job.fake.answer(t, notesJSON(t, true, 17))
	job.after(t)
	job.fake.check(t, notes, "--request DELETE "+notes+"/17", "")
	job.fake.answer(t, notesJSON(t, true))
	job.after(t)
	job.fake.check(t, notes, "", "")

	delete(job.env, "XSMBENCH_TOKEN")
	job.after(t)
	job.fake.check(t, "", "", "")
}

// checkBuilds looks which revisions were compared.
func checkBuilds(t *testing.T, run, before, after string) {
	t.Helper()
	want := "before=flask@" + before + ",after=flask@" + after
	if text := read(t, filepath.Join(run, "run.json")); !strings.Contains(text, want) {
		t.Errorf("the run was not of %s:\n%s", want, text)
	}
}

// checkSlower looks at the reports on the planted work.
func checkSlower(t *testing.T, reports, summary string) {
	t.Helper()
	comment := read(t, filepath.Join(reports, "comment.md"))
	if !strings.HasPrefix(comment, ci.CommentMark) || !strings.Contains(comment, `hooks: evtchn\_status`) {
		t.Errorf("the comment:\n%s", comment)
	}
	junit := read(t, filepath.Join(reports, "junit.xml"))
	if n := strings.Count(junit, "<failure"); n != 1 || !strings.Contains(junit, "op=xen_version") || strings.Contains(junit, "lat_") {
		t.Errorf("JUnit has %d failures, want one:\n%s", n, junit)
	}
	for name, text := range map[string]string{"comment": comment, "JUnit": junit, "summary": summary} {
		if !strings.Contains(strings.ReplaceAll(text, `\_`, "_"), plantedRow) { // as Markdown has it
			t.Errorf("%s does not name %s:\n%s", name, plantedRow, text)
		}
	}
}

// checkPassed looks at the reports on a change that costs nothing.
func checkPassed(t *testing.T, reports, summary string) {
	t.Helper()
	if comment := read(t, filepath.Join(reports, "comment.md")); comment != "" {
		t.Errorf("the comment:\n%s", comment)
	}
	if junit := read(t, filepath.Join(reports, "junit.xml")); strings.Contains(junit, "<failure") || strings.Contains(junit, "<error") {
		t.Errorf("JUnit:\n%s", junit)
	}
	if summary == "" {
		t.Error("no summary")
	}
}

// machine is the environment that a runner gives to every script: the tools
// of this machine with fake ones before them, and an empty home. Go's caches are the
// user's, so that nothing is fetched.
func (r *repositories) machine(t *testing.T, f *fake) map[string]string {
	t.Helper()
	home := t.TempDir()
	env := map[string]string{"HOME": home, "PATH": f.dir + string(os.PathListSeparator) + os.Getenv("PATH"), "FAKE": f.dir, "CI": "true"}
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOENV", "GOPROXY", "GOFLAGS", "GOTOOLCHAIN", "GOSUMDB"} {
		out, err := exec.Command("go", "env", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		env[name] = strings.TrimSpace(string(out))
	}
	env["GOFLAGS"] = strings.TrimSpace(env["GOFLAGS"] + " -trimpath") // what was compiled in another directory serves
	return env
}

// useCache lets a script use the machine's cache in place of the one that the
// pipeline keeps, once that is seen to be the one that the script would use. A link
// would not do: snapshots are named by the paths of what was booted.
func useCache(t *testing.T, env map[string]string, kept string) {
	t.Helper()
	if got := filepath.Join(env["XDG_CACHE_HOME"], "xsmbench"); got != kept {
		t.Fatalf("the cache is %s, kept is %s", got, kept)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	env["XDG_CACHE_HOME"] = cache
}

// bash runs a script in a file as the runners do, and returns its exit code.
func bash(t *testing.T, what, script, dir string, env map[string]string, options ...string) int {
	t.Helper()
	file := filepath.Join(t.TempDir(), "script.sh")
	write(t, file, script)
	cmd := exec.Command("bash", append(options, file)...)
	cmd.Dir = dir
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatalf("%s: %v", what, err)
	}
	t.Logf("%s: exit code %d\n%s", what, cmd.ProcessState.ExitCode(), out)
	return cmd.ProcessState.ExitCode()
}

func read(t testing.TB, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Error(err)
	}
	return string(text)
}

func write(t testing.TB, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// commentIn is the comment that the gate wrote below dir.
func commentIn(t *testing.T, dir string) string {
	t.Helper()
	return read(t, filepath.Join(dir, "reports", "comment.md"))
}
