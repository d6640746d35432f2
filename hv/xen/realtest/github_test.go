//go:build realxen

package realtest

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// githubWorkflow is what a runner reads of a workflow.
type githubWorkflow struct {
	Defaults githubDefaults
	Env      map[string]string
	Jobs     map[string]struct {
		Needs    string
		If       string
		Defaults githubDefaults
		Env      map[string]string
		Steps    []githubStep
	}
}

type githubDefaults struct {
	Run struct{ Shell string }
}

type githubStep struct {
	Name, Uses, Run, If string
	Shell               string
	WorkingDirectory    string `yaml:"working-directory"`
	Env                 map[string]string
	With                map[string]string
}

func readGitHub(t *testing.T) githubWorkflow {
	t.Helper()
	var w githubWorkflow
	if err := yaml.Unmarshal([]byte(read(t, "../../../docs/ci/github.yml")), &w); err != nil {
		t.Fatal(err)
	}
	return w
}

// githubRun is the run of a workflow for a pull request of one branch.
type githubRun struct {
	repos       *repositories
	branch      string
	expressions map[string]string
	fake        *fake
	artifacts   string
	summaries   map[string]string // by step
	cached      string            // path that is kept
}

func newGitHubRun(t *testing.T, r *repositories, branch string) *githubRun {
	t.Helper()
	return &githubRun{
		repos: r, branch: branch, fake: newFake(t), artifacts: t.TempDir(), summaries: map[string]string{},
		expressions: map[string]string{
			"github.sha":                       r.commits[branch+"-merge"],
			"github.token":                     "secret",
			"github.event.pull_request.number": "7",
			"vars.XSMBENCH":                    "developer/xsmbench",
			"!cancelled() && github.event.pull_request.head.repo.full_name == github.repository": "true",
		},
	}
}

// expand puts in the values of expressions.
func (r *githubRun) expand(t *testing.T, text string) string {
	t.Helper()
	return regexp.MustCompile(`\$\{\{\s*(.*?)\s*\}\}`).ReplaceAllStringFunc(text, func(found string) string {
		name := strings.TrimSpace(found[3 : len(found)-2])
		value, ok := r.expressions[name]
		if !ok {
			t.Fatalf("the workflow has an expression that the test does not know: %s", name)
		}
		return value
	})
}

// run runs all jobs, and returns the steps that failed, by job.
func (r *githubRun) run(t *testing.T, w githubWorkflow) map[string]string {
	t.Helper()
	failed := map[string]string{}
	ended := map[string]bool{}
	for len(ended) < len(w.Jobs) {
		before := len(ended)
		for _, name := range slices.Sorted(maps.Keys(w.Jobs)) {
			job := w.Jobs[name]
			if ended[name] || job.Needs != "" && !ended[job.Needs] {
				continue
			}
			ended[name] = true
			if job.If == "" && failed[job.Needs] != "" || job.If != "" && r.expand(t, job.If) != "true" {
				continue
			}
			if step := r.runJob(t, w, name); step != "" {
				failed[name] = step
			}
		}
		if len(ended) == before {
			t.Fatal("jobs wait for each other")
		}
	}
	return failed
}

// runJob runs a job in a workspace of its own, and returns the step that
// failed.
func (r *githubRun) runJob(t *testing.T, w githubWorkflow, name string) string {
	t.Helper()
	job := w.Jobs[name]
	workspace := t.TempDir()
	env := r.repos.machine(t, r.fake)
	maps.Copy(env, map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": workspace, "GITHUB_REPOSITORY": "developer/xen", "GITHUB_SHA": r.expressions["github.sha"],
	})
	for _, vars := range []map[string]string{w.Env, job.Env} {
		for k, v := range vars {
			env[k] = r.expand(t, v)
		}
	}
	failed := ""
	for _, step := range job.Steps {
		switch {
		case step.If != "" && step.If != "always()":
			t.Fatalf("job %s: a condition that the test does not know: %s", name, step.If)
		case failed != "" && step.If == "":
			continue
		case step.Uses != "":
			r.use(t, workspace, step)
			continue
		}
		if step.Shell == "" {
			step.Shell = job.Defaults.Run.Shell
		}
		if step.Shell == "" {
			step.Shell = w.Defaults.Run.Shell
		}
		if !r.step(t, workspace, step, env) {
			failed = step.Name
		}
	}
	return failed
}

// step runs a script, and changes env to what it has told for later ones.
func (r *githubRun) step(t *testing.T, workspace string, step githubStep, env map[string]string) bool {
	t.Helper()
	options := []string{"-e"}
	switch step.Shell {
	case "":
	case "bash":
		options = []string{"--noprofile", "--norc", "-eo", "pipefail"}
	default:
		t.Fatalf("a shell that the test does not know: %s", step.Shell)
	}
	own := maps.Clone(env)
	for k, v := range step.Env {
		own[k] = r.expand(t, v)
	}
	if own["XDG_CACHE_HOME"] != "" {
		useCache(t, own, r.cached)
	}
	files := t.TempDir()
	for _, name := range []string{"GITHUB_PATH", "GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"} {
		own[name] = filepath.Join(files, name)
		write(t, own[name], "")
	}
	code := bash(t, step.Name, r.expand(t, step.Run), filepath.Join(workspace, step.WorkingDirectory), own, options...)
	for line := range strings.Lines(read(t, own["GITHUB_PATH"])) {
		env["PATH"] = strings.TrimSpace(line) + string(os.PathListSeparator) + env["PATH"]
	}
	for line := range strings.Lines(read(t, own["GITHUB_ENV"])) {
		k, v, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if !ok {
			t.Fatalf("GITHUB_ENV has %q", line)
		}
		env[k] = v
	}
	r.summaries[step.Name] = read(t, own["GITHUB_STEP_SUMMARY"])
	return code == 0
}

// use does what an action would.
func (r *githubRun) use(t *testing.T, workspace string, step githubStep) {
	t.Helper()
	action, _, _ := strings.Cut(step.Uses, "@")
	with := map[string]string{}
	for k, v := range step.With {
		with[k] = r.expand(t, v)
	}
	switch action {
	case "actions/checkout":
		repository, ref := r.repos.xen, r.branch+"-merge"
		switch with["repository"] {
		case "":
		case r.expressions["vars.XSMBENCH"]:
			repository, ref = r.repos.xsmbench, "HEAD"
		default:
			t.Fatalf("checkout of %s", with["repository"])
		}
		depth := 1
		if text, ok := with["fetch-depth"]; ok {
			if _, err := fmt.Sscan(text, &depth); err != nil {
				t.Fatal(err)
			}
		}
		r.repos.checkout(t, repository, ref, filepath.Join(workspace, with["path"]), depth)
	case "actions/cache":
		r.cached = filepath.Join(workspace, with["path"])
	case "actions/upload-artifact":
		for _, path := range strings.Fields(with["path"]) {
			if _, err := os.Stat(filepath.Join(workspace, path)); err == nil {
				copyDir(t, filepath.Join(workspace, path), filepath.Join(r.artifacts, path))
			}
		}
	case "actions/download-artifact":
		copyDir(t, r.artifacts, workspace)
	default:
		t.Fatalf("an action that the test does not know: %s", step.Uses)
	}
}

func copyDir(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}
