package cli

import (
	"strings"
	"testing"
)

// TestAutoShard: which shard the variables of engines name.
func TestAutoShard(t *testing.T) {
	for _, c := range []struct {
		name string
		env  string // NAME=VALUE, with spaces between
		want string // shard, or part of an error
	}{
		{"nothing", "", "none of SLURM_ARRAY_TASK_ID"},
		{"Slurm, from 1", "SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=8 SLURM_ARRAY_TASK_COUNT=8 SLURM_ARRAY_TASK_STEP=1", "3/8"},
		{"Slurm, from 0", "SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_MAX=7 SLURM_ARRAY_TASK_COUNT=8 SLURM_ARRAY_TASK_STEP=1", "4/8"},
		{"Slurm, 1-15:4", "SLURM_ARRAY_TASK_ID=9 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=13 SLURM_ARRAY_TASK_COUNT=4 SLURM_ARRAY_TASK_STEP=4", "3/4"},
		{"Slurm, 1,2,9", "SLURM_ARRAY_TASK_ID=2 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=9 SLURM_ARRAY_TASK_COUNT=3", "no regular numbers"},
		{"Slurm, one task again", "SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_MIN=3 SLURM_ARRAY_TASK_MAX=3 SLURM_ARRAY_TASK_COUNT=1 XSMBENCH_SHARDS=8", "3/8"},
		{"Slurm, of an array from 0", "SLURM_ARRAY_TASK_ID=0 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_MAX=7 SLURM_ARRAY_TASK_COUNT=8 XSMBENCH_SHARDS=8", "number the tasks from 1, as in --array=1-8"},
		{"Slurm, no count", "SLURM_ARRAY_TASK_ID=3", "SLURM_ARRAY_TASK_COUNT is not set"},
		{"Slurm, nonsense", "SLURM_ARRAY_TASK_ID=three", "SLURM_ARRAY_TASK_ID=three: not a number"},
		{"Slurm without an array", "SLURM_JOB_ID=5", "none of SLURM_ARRAY_TASK_ID"},
		{"Kubernetes", "JOB_COMPLETION_INDEX=0 XSMBENCH_SHARDS=8", "1/8"},
		{"Kubernetes, the last", "JOB_COMPLETION_INDEX=7 XSMBENCH_SHARDS=8", "8/8"},
		{"Kubernetes, of how many", "JOB_COMPLETION_INDEX=7", "set XSMBENCH_SHARDS to the job's completions"},
		{"GitLab", "CI_NODE_INDEX=3 CI_NODE_TOTAL=8", "3/8"},
		{"GitLab without parallel", "CI_NODE_TOTAL=1", "1/1"},
		{"GitLab, no index", "CI_NODE_TOTAL=8", "CI_NODE_INDEX is not set"},
		{"two that agree", "CI_NODE_INDEX=1 CI_NODE_TOTAL=8 JOB_COMPLETION_INDEX=0 XSMBENCH_SHARDS=8", "1/8"},
		{"two that do not", "CI_NODE_INDEX=3 CI_NODE_TOTAL=8 JOB_COMPLETION_INDEX=0 XSMBENCH_SHARDS=2", "those of GitLab 3/8: name the shard"},
	} {
		env := map[string]string{}
		for word := range strings.FieldsSeq(c.env) {
			name, value, _ := strings.Cut(word, "=")
			env[name] = value
		}
		f := shardFlags{shard: "auto"}
		s, err := f.share(func(name string) string { return env[name] })
		if err != nil {
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: error %q, want %q", c.name, err, c.want)
			}
			continue
		}
		index, of, err := parseShard(c.want)
		if err != nil || s.Index != index || s.Of != of {
			t.Errorf("%s: %d/%d, want %s", c.name, s.Index, s.Of, c.want)
		}
	}
}

// Nobody who did not ask gets a part.
func TestNoShard(t *testing.T) {
	env := map[string]string{"CI_NODE_INDEX": "3", "CI_NODE_TOTAL": "8"}
	s, err := (&shardFlags{}).share(func(name string) string { return env[name] })
	if s != nil || err != nil {
		t.Errorf("%+v, %v", s, err)
	}
	var said strings.Builder
	sayWhole(&said, func(name string) string { return env[name] })
	if want := "GitLab started 8 jobs of this kind, and this one measures the whole plan: --shard auto divides it\n"; said.String() != want {
		t.Errorf("said %q, want %q", said.String(), want)
	}
}

func TestParseShard(t *testing.T) {
	for _, text := range []string{"", "3", "a/b", "3/", "/8", "3/8/9", "3 /8"} {
		if _, _, err := parseShard(text); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}
