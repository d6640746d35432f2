//go:build realxen

package realtest

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// gitlabJob is what a runner reads of a job.
type gitlabJob struct {
	Variables    map[string]string
	Cache        struct{ Paths []string }
	BeforeScript []string `yaml:"before_script"`
	Script       []string
	AfterScript  []string `yaml:"after_script"`
}

func readGitLab(t *testing.T) gitlabJob {
	t.Helper()
	var jobs map[string]gitlabJob
	if err := yaml.Unmarshal([]byte(read(t, "../../../docs/ci/gitlab-ci.yml")), &jobs); err != nil {
		t.Fatal(err)
	}
	if len(jobs) != 1 {
		t.Fatalf("%d jobs, the test knows of one", len(jobs))
	}
	return jobs["xsmbench"]
}

// gitlabRun is the run of a job for a merge request of one branch, or for its
// merged result.
type gitlabRun struct {
	job  gitlabJob
	dir  string // the project's
	fake *fake
	env  map[string]string
}

func newGitLabRun(t *testing.T, r *repositories, job gitlabJob, branch string) *gitlabRun {
	t.Helper()
	run := &gitlabRun{job: job, dir: filepath.Join(t.TempDir(), "xen"), fake: newFake(t)}
	run.env = r.machine(t, run.fake)
	maps.Copy(run.env, map[string]string{
		"GITLAB_CI": "true", "CI_PROJECT_DIR": run.dir, "CI_PROJECT_ID": "3", "CI_MERGE_REQUEST_IID": "5",
		"CI_API_V4_URL": "https://gitlab.example/api/v4", "CI_COMMIT_SHA": r.commits[branch],
		"CI_MERGE_REQUEST_DIFF_BASE_SHA": r.commits["fork"],
		"XSMBENCH":                       "file://" + r.xsmbench, "XSMBENCH_TOKEN": "secret",
	})
	if strings.HasSuffix(branch, "-merge") {
		run.env["CI_MERGE_REQUEST_TARGET_BRANCH_SHA"] = r.commits["main"]
	}
	for k, v := range job.Variables {
		run.env[k] = os.Expand(v, func(name string) string { return run.env[name] })
	}
	if len(job.Cache.Paths) != 1 {
		t.Fatalf("kept are %q", job.Cache.Paths)
	}
	useCache(t, run.env, filepath.Join(run.dir, job.Cache.Paths[0]))
	depth := 20 // GitLab's default
	if text, ok := run.env["GIT_DEPTH"]; ok {
		if _, err := fmt.Sscan(text, &depth); err != nil {
			t.Fatal(err)
		}
	}
	r.checkout(t, r.xen, branch, run.dir, depth)
	return run
}

// script runs the job, whose parts share a shell, and returns its exit code.
func (r *gitlabRun) script(t *testing.T) int {
	t.Helper()
	return r.bash(t, "script", slices.Concat(r.job.BeforeScript, r.job.Script))
}

// after runs what follows in a shell of its own, and must not fail.
func (r *gitlabRun) after(t *testing.T) {
	t.Helper()
	if code := r.bash(t, "after_script", r.job.AfterScript); code != 0 {
		t.Errorf("after_script: exit code %d", code)
	}
}

func (r *gitlabRun) bash(t *testing.T, what string, commands []string) int {
	t.Helper()
	return bash(t, what, strings.Join(commands, "\n")+"\n", r.dir, r.env, "-eo", "pipefail")
}
