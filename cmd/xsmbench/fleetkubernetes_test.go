package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"xsmbench/cmd/xsmbench/internal/cli"
)

// kubernetesSchema is what Kubernetes says of the objects of docs/fleet/kubernetes.yaml,
// as a JSON schema: its OpenAPI documents of version 1.37 without descriptions, and with
// no keys but those that are named. It is made of the folder api/openapi-spec/v3 of
// Kubernetes' repository, or of its Go module k8s.io/kubernetes:
//
//	go test ./cmd/xsmbench -run '^TestKubernetesSchema$' -kubernetes.openapi FOLDER
const kubernetesSchema = "testdata/kubernetes.schema.json"

var kubernetesOpenAPI = flag.String("kubernetes.openapi", "", "make "+kubernetesSchema+" of the OpenAPI documents in this folder")

// kubernetesKinds are the definitions of the kinds that the file has.
var kubernetesKinds = map[string]string{
	"v1 ConfigMap":             "io.k8s.api.core.v1.ConfigMap",
	"v1 PersistentVolumeClaim": "io.k8s.api.core.v1.PersistentVolumeClaim",
	"batch/v1 Job":             "io.k8s.api.batch.v1.Job",
}

// kubernetesDocs are the file's objects, as JSON.
func kubernetesDocs(t *testing.T) []map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(fleetFiles, "kubernetes.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var all []map[string]any
	for d := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var value map[string]any
		if err := d.Decode(&value); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, asJSON(t, value))
	}
}

func asJSON(t *testing.T, value any) map[string]any {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	object, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return object.(map[string]any)
}

// TestKubernetesSchema holds each object of the file against its schema, and each with a
// fault, which must be seen.
func TestKubernetesSchema(t *testing.T) {
	if *kubernetesOpenAPI != "" {
		makeKubernetesSchema(t, *kubernetesOpenAPI)
	}
	compiler := jsonschema.NewCompiler()
	for _, doc := range kubernetesDocs(t) {
		name := fmt.Sprint(doc["apiVersion"], " ", doc["kind"])
		schema, err := compiler.Compile(kubernetesSchema + "#/$defs/" + kubernetesKinds[name])
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for fault, value := range map[string]any{"speck": map[string]any{}, "metadata": "a name"} {
			bad := maps.Clone(doc)
			bad[fault] = value
			if schema.Validate(bad) == nil {
				t.Errorf("%s with %s: %v passes", name, fault, value)
			}
		}
		if doc["kind"] == "Job" {
			spec := doc["spec"].(map[string]any)
			spec["completion"] = 8
			if schema.Validate(doc) == nil {
				t.Errorf("%s: a key that no job has passes", name)
			}
		}
	}
}

// makeKubernetesSchema takes from OpenAPI documents what the kinds are made of.
func makeKubernetesSchema(t *testing.T, dir string) {
	t.Helper()
	all := map[string]any{}
	for _, file := range []string{"api__v1_openapi.json", "apis__batch__v1_openapi.json"} {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Components struct{ Schemas map[string]any }
		}
		if err := json.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		maps.Copy(all, doc.Components.Schemas)
	}
	defs := map[string]any{}
	var take func(name string)
	take = func(name string) {
		if _, ok := defs[name]; ok {
			return
		}
		reduced := reduceSchema(all[name]).(map[string]any)
		if _, ok := reduced["properties"]; ok {
			reduced["additionalProperties"] = false
		}
		defs[name] = reduced
		for _, other := range referred(reduced) {
			take(other)
		}
	}
	for _, name := range kubernetesKinds {
		take(name)
	}
	text, err := json.MarshalIndent(map[string]any{
		"$schema":  "https://json-schema.org/draft/2020-12/schema",
		"$comment": "Made by TestKubernetesSchema of Kubernetes' OpenAPI documents (Apache-2.0).",
		"$defs":    defs,
	}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(kubernetesSchema, append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

const openAPIReference = "#/components/schemas/"

// reduceSchema leaves out what says nothing of validity, and names definitions as JSON
// schemas do.
func reduceSchema(value any) any {
	switch v := value.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, x := range v {
			switch _, isSchema := x.(map[string]any); {
			case key == "description" && !isSchema, key == "default", key == "format", strings.HasPrefix(key, "x-"):
			case key == "$ref":
				out[key] = "#/$defs/" + strings.TrimPrefix(x.(string), openAPIReference)
			case key == "properties":
				out[key] = reduceProperties(x.(map[string]any))
			default:
				out[key] = reduceSchema(x)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = reduceSchema(x)
		}
		return out
	}
	return value
}

// reduceProperties keeps all names, also those that mean something in a schema.
func reduceProperties(all map[string]any) map[string]any {
	out := map[string]any{}
	for name, x := range all {
		out[name] = reduceSchema(x)
	}
	return out
}

// referred are the definitions that a schema names.
func referred(value any) (names []string) {
	switch v := value.(type) {
	case map[string]any:
		for key, x := range v {
			if text, ok := x.(string); ok && key == "$ref" {
				names = append(names, strings.TrimPrefix(text, "#/$defs/"))
			}
			names = append(names, referred(x)...)
		}
	case []any:
		for _, x := range v {
			names = append(names, referred(x)...)
		}
	}
	return names
}

// kubernetesObject is what a cluster reads of the file, as far as the test goes.
type kubernetesObject struct {
	Kind     string
	Metadata struct{ Name string }
	Data     map[string]string
	Spec     struct {
		CompletionMode                              string
		Completions, Parallelism                    int
		BackoffLimitPerIndex, ActiveDeadlineSeconds int
		Template                                    struct{ Spec kubernetesPod }
	}
}

type kubernetesPod struct {
	InitContainers, Containers []kubernetesContainer
	Volumes                    []struct {
		Name                  string
		PersistentVolumeClaim *struct{ ClaimName string }
		EmptyDir              *struct{}
	}
}

type kubernetesContainer struct {
	Name, WorkingDir string
	Command, Args    []string
	Env              []struct{ Name, Value string }
	EnvFrom          []struct {
		ConfigMapRef, SecretRef *struct {
			Name     string
			Optional bool
		}
	}
	VolumeMounts []struct{ Name, MountPath string }
}

// TestFleetKubernetes runs the pods of docs/fleet/kubernetes.yaml as a cluster would: the
// job that merges from the beginning, and the shards meanwhile, of which one is killed
// and begun again in a new pod. What is merged is the run of one machine.
func TestFleetKubernetes(t *testing.T) {
	t.Parallel()
	s := newFleetSite(t, true)
	s.fake("sleep", "exec "+realSleep(t)+" 0.05\n")
	k := &kubernetesFleet{fleetSite: s, claims: map[string]string{}, configs: map[string]map[string]string{}, jobs: map[string]kubernetesObject{}}
	k.read()
	var said string
	sideBySide(2, func(i int) {
		if i == 0 {
			said = k.mustPod("merge", k.jobs["xsmbench-merge"], 0, nil, cli.ExitRegression)
			return
		}
		k.shards()
	})
	if t.Failed() {
		t.Fatal(said)
	}
	if !strings.Contains(said, "missing") && !strings.Contains(said, "no such file") {
		t.Errorf("the merge did not wait for shards:\n%s", said)
	}
	run := k.inPod(k.configs["xsmbench"]["RUN"], map[string]string{"/shared": k.claims["xsmbench"]})
	sameRun(t, s.whole("v1", "v2"), run)
	s.checkGate(run+".junit.xml", true)
}

func realSleep(t *testing.T) string {
	t.Helper()
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if path := filepath.Join(dir, "sleep"); isFile(path) {
			return path
		}
	}
	t.Fatal("no sleep")
	return ""
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// kubernetesFleet is a cluster with the file's objects.
type kubernetesFleet struct {
	*fleetSite
	claims  map[string]string // directories
	configs map[string]map[string]string
	jobs    map[string]kubernetesObject
}

func (k *kubernetesFleet) read() {
	k.t.Helper()
	for _, doc := range kubernetesDocs(k.t) {
		text, err := json.Marshal(doc)
		if err != nil {
			k.t.Fatal(err)
		}
		var o kubernetesObject
		if err := json.Unmarshal(text, &o); err != nil {
			k.t.Fatal(err)
		}
		switch name := o.Metadata.Name; o.Kind {
		case "ConfigMap":
			k.configs[name] = o.Data
		case "PersistentVolumeClaim":
			k.claims[name] = k.mkdir(filepath.Join(k.dir, "claim-"+name))
		case "Job":
			k.jobs[name] = o
		}
	}
	config, shards := k.configs["xsmbench"], k.jobs["xsmbench-shards"].Spec
	if n, err := strconv.Atoi(config["XSMBENCH_SHARDS"]); err != nil || n != shards.Completions || n < 2 || shards.CompletionMode != "Indexed" || shards.BackoffLimitPerIndex < 1 {
		k.t.Fatalf("%s shards, and the job %+v", config["XSMBENCH_SHARDS"], shards)
	}
	k.git("-C", k.repo, "tag", "v1", k.base)
	k.git("-C", k.repo, "tag", "v2", k.change)
	maps.Copy(config, map[string]string{"XSMBENCH_PLAN": fleetPlan, "REPOSITORY": k.repo, "BEFORE": "v1", "AFTER": "v2"})
	var script []string
	for _, j := range k.jobs {
		for _, c := range slices.Concat(j.Spec.Template.Spec.InitContainers, j.Spec.Template.Spec.Containers) {
			script = append(script, c.Args...)
		}
	}
	checkCommands(k.t, script)
}

// shards runs the pods of the Indexed Job, as many at once as it says.
func (k *kubernetesFleet) shards() {
	j := k.jobs["xsmbench-shards"]
	places := make(chan int, j.Spec.Completions)
	for i := range j.Spec.Completions {
		places <- i
	}
	close(places)
	sideBySide(j.Spec.Parallelism, func(int) {
		for i := range places {
			if i == 1 {
				shard := fmt.Sprintf("%s.shards/%d", k.configs["xsmbench"]["RUN"], i)
				dir := k.inPod(shard, map[string]string{"/shared": k.claims["xsmbench"]})
				k.mustPod(fmt.Sprintf("shard-%d-dies", i), j, i, bootEnded(dir), killedCode)
			}
			k.mustPod(fmt.Sprintf("shard-%d", i), j, i, nil, 0)
		}
	})
}

// mustPod runs the containers of a pod, the last of which must end with a code.
func (k *kubernetesFleet) mustPod(name string, j kubernetesObject, index int, until func() bool, want int) (said string) {
	pod := j.Spec.Template.Spec
	volumes := map[string]string{}
	for _, v := range pod.Volumes {
		if v.PersistentVolumeClaim != nil {
			volumes[v.Name] = k.claims[v.PersistentVolumeClaim.ClaimName]
		} else if v.EmptyDir != nil {
			volumes[v.Name] = k.mkdir(filepath.Join(k.dir, "pod-"+name, v.Name))
		}
	}
	for _, c := range pod.InitContainers {
		s := k.container(name, c, volumes, j, index)
		k.mustRun(name+" "+c.Name, s, 0)
	}
	if len(pod.Containers) != 1 {
		k.t.Errorf("%s: %d containers", name, len(pod.Containers))
	}
	s := k.container(name, pod.Containers[0], volumes, j, index)
	s.until = until
	return k.mustRun(name, s, want)
}

// container is a script with the variables that Kubernetes sets. Paths of mounts are
// those of directories here.
func (k *kubernetesFleet) container(pod string, c kubernetesContainer, volumes map[string]string, j kubernetesObject, index int) shellScript {
	at := map[string]string{}
	for _, m := range c.VolumeMounts {
		if volumes[m.Name] == "" {
			k.t.Errorf("%s: no volume %s", pod, m.Name)
		}
		at[m.MountPath] = volumes[m.Name]
	}
	env := k.machine(pod)
	for _, from := range c.EnvFrom {
		if from.ConfigMapRef == nil {
			continue
		}
		for name, value := range k.configs[from.ConfigMapRef.Name] {
			env[name] = k.inPod(value, at)
		}
	}
	for _, v := range c.Env {
		env[v.Name] = k.inPod(v.Value, at)
	}
	if j.Spec.CompletionMode == "Indexed" {
		env["JOB_COMPLETION_INDEX"] = fmt.Sprint(index)
	}
	dir := k.dir
	if c.WorkingDir != "" {
		dir = k.inPod(c.WorkingDir, at)
	}
	argv := slices.Clone(c.Command)
	for _, a := range c.Args {
		argv = append(argv, k.inPod(a, at))
	}
	return shellScript{argv: argv, dir: dir, env: env}
}

// inPod replaces paths of a pod.
func (k *kubernetesFleet) inPod(text string, at map[string]string) string {
	for path, dir := range at {
		text = regexp.MustCompile(`(^|[ "'=]|file://)`+regexp.QuoteMeta(path)+`\b`).ReplaceAllString(text, "${1}"+dir)
	}
	return text
}
