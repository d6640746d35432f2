package main

import (
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.yaml.in/yaml/v3"
)

// fleetWorkflow is what GitHub reads of docs/fleet/github.yml.
type fleetWorkflow struct {
	Defaults struct{ Run struct{ Shell string } }
	Env      map[string]string
	Jobs     map[string]fleetWorkflowJob
}

type fleetWorkflowJob struct {
	RunsOn    string `yaml:"runs-on"`
	Container string
	Needs     string
	Strategy  struct{ Matrix map[string][]string }
	Steps     []fleetStep
}

type fleetStep struct {
	Name, Uses, Run, If string
	Env, With           map[string]string
}

// TestFleetGitHub runs the jobs of docs/fleet/github.yml as runners would, for a pull
// request that costs nothing. One shard's runner dies, and the job is run again. The run
// that is merged is that of one machine, and the gate passes.
func TestFleetGitHub(t *testing.T) {
	t.Parallel()
	s := newFleetSite(t, false)
	w := &githubFleet{fleetSite: s, program: s.program(), artifacts: filepath.Join(s.dir, "artifacts")}
	text, err := os.ReadFile(filepath.Join(fleetFiles, "github.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &w.flow); err != nil {
		t.Fatal(err)
	}
	w.check()
	done := map[string]bool{"": true}
	for len(done) <= len(w.flow.Jobs) {
		before := len(done)
		for _, name := range slices.Sorted(maps.Keys(w.flow.Jobs)) {
			if !done[name] && done[w.flow.Jobs[name].Needs] {
				w.job(name)
				done[name] = true
			}
		}
		if t.Failed() || len(done) == before {
			t.Fatalf("jobs that were run: %v", done)
		}
	}
	end := filepath.Join(w.artifacts, "xsmbench")
	sameRun(t, s.whole(s.base, s.merge), filepath.Join(end, "run"))
	s.checkGate(filepath.Join(end, "reports", "junit.xml"), false)
	s.checkInstalled(len(w.flow.Jobs["shard"].Strategy.Matrix["shard"]) + 1) // one of them twice
	if w.summary == "" {
		t.Error("the gate wrote no summary")
	}
}

type githubFleet struct {
	*fleetSite
	program   string // repository of xsmbench
	flow      fleetWorkflow
	artifacts string // directories by name
	mu        sync.Mutex
	summary   string
}

func (w *githubFleet) check() {
	w.t.Helper()
	var script []string
	for name, j := range w.flow.Jobs {
		if j.RunsOn == "" || j.Container == "" {
			w.t.Errorf("%s: %+v", name, j)
		}
		for _, step := range j.Steps {
			if (step.Uses == "") == (step.Run == "") {
				w.t.Errorf("%s: a step of both kinds or of none", name)
			}
			script = append(script, regexp.MustCompile(`\$\{\{.*?\}\}`).ReplaceAllString(step.Run, "1"))
		}
	}
	checkCommands(w.t, script)
}

// job runs a job once for each entry of its matrix, at once. The runner of the second
// one dies once.
func (w *githubFleet) job(name string) {
	w.t.Helper()
	j := w.flow.Jobs[name]
	all := []map[string]string{{}}
	for key, values := range j.Strategy.Matrix {
		if len(all) > 1 {
			w.t.Fatalf("%s: a matrix of several dimensions", name)
		}
		all = nil
		for _, v := range values {
			all = append(all, map[string]string{"matrix." + key: v})
		}
	}
	sideBySide(len(all), func(i int) {
		all[i]["strategy.job-total"] = fmt.Sprint(len(all))
		what := fmt.Sprintf("%s-%d", name, i+1)
		if i == 1 {
			w.once(what+"-dies", j, all[i], true)
		}
		w.once(what, j, all[i], false)
	})
}

func (w *githubFleet) once(what string, j fleetWorkflowJob, expressions map[string]string, dies bool) {
	r := &githubRunner{githubFleet: w, what: what, dir: w.mkdir(filepath.Join(w.dir, "runner-"+what)), dies: dies}
	r.expressions = maps.Clone(expressions)
	maps.Copy(r.expressions, map[string]string{
		"github.workspace": r.dir, "github.sha": w.merge, "vars.XSMBENCH": "developer/xsmbench", "vars.XSMBENCH_STORE_URL": "",
	})
	r.env = w.machine(what)
	for k, v := range w.flow.Env {
		r.env[k] = r.expand(v)
	}
	maps.Copy(r.env, map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": r.dir, "GITHUB_SHA": w.merge, "XSMBENCH_PLAN": fleetPlan})
	for _, step := range j.Steps {
		if r.over || r.failed && step.If != "always()" {
			continue
		}
		r.step(step)
	}
	if r.failed || r.over != dies {
		w.t.Errorf("%s: failed: %t, died: %t", what, r.failed, r.over)
	}
}

// githubRunner is the run of a job.
type githubRunner struct {
	*githubFleet
	what, dir    string
	expressions  map[string]string
	env          map[string]string
	dies         bool
	failed, over bool
}

func (r *githubRunner) expand(text string) string {
	return regexp.MustCompile(`\$\{\{\s*(.*?)\s*\}\}`).ReplaceAllStringFunc(text, func(found string) string {
		name := strings.TrimSpace(found[3 : len(found)-2])
		value, ok := r.expressions[name]
		if !ok {
			r.t.Errorf("%s: an expression that the test does not know: %s", r.what, name)
		}
		return value
	})
}

func (r *githubRunner) step(step fleetStep) {
	if step.Uses != "" {
		if err := r.use(step); err != nil {
			r.t.Errorf("%s: %s: %v", r.what, step.Uses, err)
		}
		return
	}
	if shell := r.flow.Defaults.Run.Shell; shell != "bash" {
		r.t.Errorf("a shell that the test does not know: %s", shell)
	}
	env := maps.Clone(r.env)
	for k, v := range step.Env {
		env[k] = r.expand(v)
	}
	env["GITHUB_STEP_SUMMARY"] = filepath.Join(r.env["HOME"], "summary")
	s := shellScript{dir: r.dir, env: env, argv: []string{"bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", r.expand(step.Run)}}
	if r.dies {
		s.until = bootEnded(filepath.Join(r.dir, "part"))
	}
	code, said, err := s.run()
	if err != nil || code != 0 && code != killedCode {
		r.t.Errorf("%s: %s: exit code %d (%v)\n%s", r.what, step.Name, code, err, said)
		r.failed = true
	}
	r.over = code == killedCode
	if text, err := os.ReadFile(env["GITHUB_STEP_SUMMARY"]); err == nil {
		r.mu.Lock()
		r.summary += string(text)
		r.mu.Unlock()
	}
}

// use does what an action would.
func (r *githubRunner) use(step fleetStep) error {
	action, _, _ := strings.Cut(step.Uses, "@")
	with := map[string]string{}
	for k, v := range step.With {
		with[k] = r.expand(v)
	}
	switch action {
	case "actions/checkout":
		return r.checkout(with)
	case "actions/cache":
		if got := filepath.Join(r.dir, ".cache", "xsmbench"); filepath.Join(r.dir, with["path"]) != got || with["key"] == "" {
			return fmt.Errorf("kept is %q", with)
		}
		return nil
	case "actions/upload-artifact":
		return r.upload(with["name"], strings.Fields(with["path"]))
	case "actions/download-artifact":
		return r.download(with)
	}
	return fmt.Errorf("an action that the test does not know")
}

func (r *githubRunner) checkout(with map[string]string) error {
	repo, rev := r.repo, r.merge
	if with["repository"] == "developer/xsmbench" {
		repo, rev = r.program, "main"
	} else if with["repository"] != "" {
		return fmt.Errorf("of %s", with["repository"])
	}
	depth := "--depth=1"
	if with["fetch-depth"] == "0" {
		depth = "--depth=1000"
	}
	dir := filepath.Join(r.dir, with["path"])
	r.git("init", "-q", dir)
	r.git("-C", dir, "fetch", "-q", depth, "file://"+repo, rev)
	r.git("-C", dir, "checkout", "-q", "FETCH_HEAD")
	return nil
}

// upload keeps files without their permissions. One path is the artifact; of several,
// their names below the common directory stay, which is the workspace here.
func (r *githubRunner) upload(name string, paths []string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	to := filepath.Join(r.artifacts, name)
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	for _, p := range paths {
		from, under := filepath.Join(r.dir, p), p
		info, err := os.Stat(from)
		if err != nil {
			return err
		}
		if len(paths) == 1 {
			under = ""
			if !info.IsDir() {
				under = path.Base(p)
			}
		}
		if err := copyTo(from, filepath.Join(to, under), false); err != nil {
			return err
		}
	}
	return nil
}

// download brings one artifact into a folder, or several into a folder each.
func (r *githubRunner) download(with map[string]string) error {
	to := filepath.Join(r.dir, with["path"])
	if with["name"] != "" {
		return copyTo(filepath.Join(r.artifacts, with["name"]), to, true)
	}
	all, err := filepath.Glob(filepath.Join(r.artifacts, with["pattern"]))
	if err != nil || all == nil {
		return fmt.Errorf("%s: no artifacts: %v", with["pattern"], err)
	}
	for _, from := range all {
		if err := copyTo(from, filepath.Join(to, filepath.Base(from)), true); err != nil {
			return err
		}
	}
	return nil
}
