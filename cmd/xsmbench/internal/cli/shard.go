package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize/english"
	"github.com/spf13/pflag"

	"xsmbench/experiment"
)

// shardFlags say which part of a plan to measure.
type shardFlags struct {
	shard, costs string
}

func (f *shardFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.shard, "shard", "", "part of the plan to measure, such as 3/8; auto takes it from Slurm, Kubernetes or GitLab")
	costsFlag(fs, &f.costs)
	mark(fs, "shard")
}

func costsFlag(fs *pflag.FlagSet, path *string) {
	fs.StringVar(path, "costs", "", "`FILE` of costs to divide the plan by, the same for all shards (default: the target's documented costs)")
	mark(fs, "costs")
}

// share is the part that the flags ask for, nil for all.
func (f *shardFlags) share(getenv func(string) string) (*experiment.Share, error) {
	if f.shard == "" {
		if f.costs != "" {
			return nil, errors.New("--costs: they say how a plan is divided; name a part with --shard")
		}
		return nil, nil
	}
	s := &experiment.Share{}
	var err error
	if f.shard == "auto" {
		s.Index, s.Of, err = autoShard(getenv)
	} else {
		s.Index, s.Of, err = parseShard(f.shard)
	}
	if err == nil {
		s.Costs, err = readCosts(f.costs)
	}
	return s, err
}

// parseShard reads 3/8. Which numbers make sense the experiment says.
func parseShard(text string) (index, of int, err error) {
	a, b, ok := strings.Cut(text, "/")
	if ok {
		if index, err = strconv.Atoi(a); err == nil {
			of, err = strconv.Atoi(b)
		}
	}
	if !ok || err != nil {
		return 0, 0, fmt.Errorf("--shard %s: use INDEX/NUMBER, such as 3/8, or auto", text)
	}
	return index, of, nil
}

// readCosts reads a file of costs, if one is named.
func readCosts(path string) (*experiment.CostTable, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--costs: %w", err)
	}
	defer f.Close()
	c, err := experiment.ReadCosts(f)
	if err != nil {
		return nil, fmt.Errorf("--costs %s: %w (xsmbench plan --save-costs writes such a file)", path, err)
	}
	return c, nil
}

// shardsVariable says how many shards there are, where the engine does not.
const shardsVariable = "XSMBENCH_SHARDS"

// engine is a program that starts several jobs of one kind and tells each which it is.
type engine struct {
	name string
	// find reads its variables; of is 0 if they are not set.
	find func(env environment) (index, of int, err error)
}

var engines = []engine{{"Slurm", slurm}, {"Kubernetes", kubernetes}, {"GitLab", gitlab}}

// environment reads numbers from variables.
type environment func(string) string

// number is a variable's; ok is false if it is not set.
func (e environment) number(name string) (n int, ok bool, err error) {
	text := e(name)
	if text == "" {
		return 0, false, nil
	}
	if n, err = strconv.Atoi(text); err != nil || n < 0 {
		return 0, true, fmt.Errorf("%s=%s: not a number of a job", name, text)
	}
	return n, true, nil
}

// numbers are those of several variables, 0 for what is not set.
func (e environment) numbers(names ...string) ([]int, error) {
	all := make([]int, len(names))
	for i, name := range names {
		var err error
		if all[i], _, err = e.number(name); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// slurm reads the variables of a job array (sbatch(1)). Tasks that are submitted again
// alone are an array of their own, so that the number of shards is then to be said.
func slurm(env environment) (index, of int, err error) {
	id, ok, err := env.number("SLURM_ARRAY_TASK_ID")
	if !ok || err != nil {
		return 0, 0, err
	}
	n, err := env.numbers(shardsVariable, "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_STEP", "SLURM_ARRAY_TASK_MAX")
	if err != nil {
		return 0, 0, err
	}
	shards, least, count, step, most := n[0], n[1], n[2], max(1, n[3]), n[4]
	switch {
	case shards > 0 && (id < 1 || id > shards):
		return 0, 0, fmt.Errorf("SLURM_ARRAY_TASK_ID=%d and %s=%d: number the tasks from 1, as in --array=1-%[3]d", id, shardsVariable, shards)
	case shards > 0:
		return id, shards, nil
	case count < 1:
		return 0, 0, fmt.Errorf("SLURM_ARRAY_TASK_COUNT is not set: set %s to the number of tasks", shardsVariable)
	case most != least+step*(count-1) || (id-least)%step != 0:
		return 0, 0, fmt.Errorf("the tasks of this array have no regular numbers (--array=1-%d has); or set %s, and name some of the tasks from 1 to that", count, shardsVariable)
	}
	return (id-least)/step + 1, count, nil
}

// kubernetes reads the variable of an Indexed Job. How many completions the job has
// Kubernetes does not tell its containers (kubernetes/kubernetes issue 106009).
func kubernetes(env environment) (index, of int, err error) {
	id, ok, err := env.number("JOB_COMPLETION_INDEX")
	if !ok || err != nil {
		return 0, 0, err
	}
	shards, ok, err := env.number(shardsVariable)
	if err == nil && !ok {
		err = fmt.Errorf("JOB_COMPLETION_INDEX is set, and Kubernetes does not say how many there are: set %s to the job's completions", shardsVariable)
	}
	return id + 1, shards, err
}

// gitlab reads the variables of a job with "parallel". Without it there is no index,
// and a total of 1.
func gitlab(env environment) (index, of int, err error) {
	total, ok, err := env.number("CI_NODE_TOTAL")
	if !ok || err != nil {
		return 0, 0, err
	}
	index, ok, err = env.number("CI_NODE_INDEX")
	switch {
	case err == nil && !ok && total > 1:
		err = fmt.Errorf("CI_NODE_TOTAL is %d and CI_NODE_INDEX is not set", total)
	case !ok:
		index = 1
	}
	return index, total, err
}

// autoShard is the shard that the engine's variables name.
func autoShard(getenv func(string) string) (index, of int, err error) {
	var by string
	for _, e := range engines {
		i, n, err := e.find(getenv)
		switch {
		case err != nil:
			return 0, 0, fmt.Errorf("--shard auto: %w", err)
		case n == 0:
		case by != "" && (i != index || n != of):
			return 0, 0, fmt.Errorf("--shard auto: the variables of %s say %d/%d, and those of %s %d/%d: name the shard", by, index, of, e.name, i, n)
		default:
			by, index, of = e.name, i, n
		}
	}
	if by == "" {
		return 0, 0, errors.New("--shard auto: none of SLURM_ARRAY_TASK_ID, JOB_COMPLETION_INDEX and CI_NODE_TOTAL is set; name the shard, as in --shard 3/8")
	}
	return index, of, nil
}

// sayWhole says that a job which is one of several measures everything, as the others
// do: nobody divides a run who was not asked to.
func sayWhole(w io.Writer, getenv func(string) string) {
	for _, e := range engines {
		if _, of, err := e.find(getenv); err == nil && of > 1 {
			fmt.Fprintf(w, "%s started %d jobs of this kind, and this one measures the whole plan: --shard auto divides it\n", e.name, of)
		}
	}
}

// concludeShard says what a shard measured.
func concludeShard(w io.Writer, s *experiment.Session, out experiment.Outcome) error {
	shard := s.Shard()
	_, err := fmt.Fprintf(w, "\nshard %s: %d of %s in %s\nnext: when all shards are there, xsmbench merge DIR... -o RUN\n",
		shard, out.Done, english.Plural(out.Boots, "boot", ""), s.Path())
	return err
}
