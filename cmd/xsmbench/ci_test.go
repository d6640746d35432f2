package main

import (
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"xsmbench/cmd/xsmbench/internal/cli"
)

// githubWorkflow is what the test reads of docs/ci/github.yml.
type githubWorkflow struct {
	On   map[string]any `yaml:"on"`
	Jobs map[string]struct {
		RunsOn string `yaml:"runs-on"`
		Needs  string
		Steps  []struct {
			Uses string
			Run  string
			With map[string]any
		}
	}
}

// gitlabJob is what tests read of a job of GitLab's.
type gitlabJob struct {
	Image        string
	Rules        []map[string]string
	Variables    map[string]string
	Cache        struct{ Paths []string }
	BeforeScript []string `yaml:"before_script"`
	Script       []string
	AfterScript  []string `yaml:"after_script"`
	Needs        []string
	Parallel     int
	Retry        int
	AllowFailure struct {
		ExitCodes int `yaml:"exit_codes"`
	} `yaml:"allow_failure"`
	Artifacts struct {
		When    string
		Paths   []string
		Reports map[string]string
	}
}

func readYAML(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile("../../docs/ci/" + file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// TestGitHubWorkflow holds the workflow against what it uses: scripts that a
// shell can read, commands and flags that exist, targets of the Makefile.
func TestGitHubWorkflow(t *testing.T) {
	var w githubWorkflow
	readYAML(t, "github.yml", &w)
	var script, kept []string
	action := regexp.MustCompile(`^actions/(checkout|cache|upload-artifact|download-artifact)@v[0-9]+$`)
	for name, job := range w.Jobs {
		if job.RunsOn == "" || job.Needs != "" && w.Jobs[job.Needs].RunsOn == "" {
			t.Errorf("job %s: runs on %q, needs %q", name, job.RunsOn, job.Needs)
		}
		for _, s := range job.Steps {
			switch {
			case (s.Uses == "") == (s.Run == ""):
				t.Errorf("job %s: a step of both kinds or of none", name)
			case s.Uses != "" && !action.MatchString(s.Uses):
				t.Errorf("job %s: unknown action %s", name, s.Uses)
			case s.Run != "":
				script = append(script, s.Run)
			}
			if strings.HasPrefix(s.Uses, "actions/upload-artifact@") {
				kept = strings.Fields(s.With["path"].(string))
			}
		}
	}
	if _, ok := w.On["pull_request"]; !ok {
		t.Errorf("it runs on %v", w.On)
	}
	for _, args := range checkScript(t, script) {
		for _, file := range written(args) {
			if top, _, _ := strings.Cut(strings.TrimPrefix(file, "../"), "/"); !slices.Contains(kept, top) {
				t.Errorf("%s is written and not kept: %q", file, kept)
			}
		}
	}
}

// TestGitLabJob does the same for GitLab.
func TestGitLabJob(t *testing.T) {
	var jobs map[string]gitlabJob
	readYAML(t, "gitlab-ci.yml", &jobs)
	job, ok := jobs["xsmbench"]
	if !ok || job.Image == "" || len(job.Rules) == 0 || job.AllowFailure.ExitCodes != cli.ExitInconclusive || job.Artifacts.When != "always" {
		t.Fatalf("%+v", jobs)
	}
	if cache := path.Join(strings.TrimPrefix(job.Variables["XDG_CACHE_HOME"], "$CI_PROJECT_DIR/"), "xsmbench"); !slices.Equal(job.Cache.Paths, []string{cache}) {
		t.Errorf("the cache is %s, kept is %q", cache, job.Cache.Paths)
	}
	var files []string
	for _, args := range checkScript(t, slices.Concat(job.BeforeScript, job.Script, job.AfterScript)) {
		files = append(files, written(args)...)
	}
	for _, file := range files {
		top, _, _ := strings.Cut(strings.TrimPrefix(file, "../"), "/")
		if !slices.Contains(job.Artifacts.Paths, top) {
			t.Errorf("%s is written and not kept: %q", file, job.Artifacts.Paths)
		}
	}
	for kind, file := range job.Artifacts.Reports {
		if !slices.Contains(files, file) {
			t.Errorf("report %s: nothing writes %s", kind, file)
		}
	}
}

// checkScript reads the parts of a script with a shell, and the commands of xsmbench and
// make that are in it, which must be those of a gate. It returns the arguments of the
// former.
func checkScript(t *testing.T, parts []string) [][]string {
	t.Helper()
	all := checkCommands(t, parts)
	var names []string
	for _, args := range all {
		names = append(names, args[0])
	}
	if !slices.Equal(names, []string{"run", "gate"}) {
		t.Errorf("commands %q, want run and gate", names)
	}
	return all
}

var (
	oursInScript = regexp.MustCompile(`(?m)(?:^|\(|&& |exec |until )\s*(?:\.bin/)?xsmbench (\w+ [^|&;)\n]*)`)
	makeInScript = regexp.MustCompile(`(?m)^\s*make (?:-C \S+ )?(\S+)(?: #.*)?$`)
)

// checkCommands reads the parts of a script with a shell, and the commands of xsmbench
// and make that are in it. It returns the arguments of the former.
func checkCommands(t *testing.T, parts []string) [][]string {
	t.Helper()
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	var all [][]string
	for _, part := range parts {
		if out, err := exec.Command("bash", "-n", "-c", part).CombinedOutput(); err != nil {
			t.Errorf("%v: %s\n%s", err, out, part)
		}
		part = strings.ReplaceAll(part, "\\\n", " ")
		for _, m := range makeInScript.FindAllStringSubmatch(part, -1) {
			if !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(m[1]) + `:`).Match(makefile) {
				t.Errorf("make has no target %s", m[1])
			}
		}
		for _, m := range oursInScript.FindAllStringSubmatch(part, -1) {
			out, err := exec.Command("sh", "-c", "BEFORE=1 AFTER=2 SHARDS=3 RUN=/run; printf '%s\\n' "+m[1]).Output()
			if err != nil {
				t.Fatalf("%s: %v", m[1], err)
			}
			args := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
			args = slices.DeleteFunc(args, func(s string) bool { return s == "" }) // "$@" of nothing
			if err := cli.Check(args); err != nil {
				t.Errorf("xsmbench %s: %v", m[1], err)
			}
			all = append(all, args)
		}
	}
	if all == nil {
		t.Errorf("no command of xsmbench in %q", parts)
	}
	return all
}

// written are the files that a command writes by its flags.
func written(args []string) []string {
	var files []string
	for i, arg := range args[:len(args)-1] {
		switch arg {
		case "--junit", "--summary", "--gitlab", "--comment", "-o":
			files = append(files, args[i+1])
		}
	}
	return files
}
