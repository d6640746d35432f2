package kernbench

import (
	"errors"
	"fmt"

	"xsmbench/bench"
)

// maker runs commands as make -j does: so many at a time, in their order, each a
// process. The first that fails ends it, when those that run have ended.
type maker struct {
	builder bench.Builder
	dir     string
	jobs    int         // 0 for no limit
	running map[int]job // by process
	started int         // processes since the maker was made
}

// job is a command that makes something.
type job struct {
	what string // for people: "mm/page03.c"
	argv []string
}

// run runs jobs, and then the last one alone.
func (m *maker) run(jobs []job, last job) error {
	err := m.all(jobs)
	if err == nil {
		err = m.all([]job{last})
	}
	return err
}

func (m *maker) all(jobs []job) error {
	var failed error
	for _, j := range jobs {
		for m.jobs > 0 && len(m.running) >= m.jobs && failed == nil {
			failed = m.reap()
		}
		if failed != nil {
			break
		}
		failed = m.start(j)
	}
	for len(m.running) > 0 {
		failed = errors.Join(failed, m.reap())
	}
	return failed
}

func (m *maker) start(j job) error {
	pid, err := m.builder.Spawn(m.dir, j.argv...)
	if err != nil {
		return fmt.Errorf("make %s: %w", j.what, err)
	}
	m.started++
	m.running[pid] = j
	return nil
}

// reap waits for a job to end. Children that are none of the jobs are no concern of
// it.
func (m *maker) reap() error {
	pid, status, err := m.builder.Reap()
	if err != nil {
		clear(m.running) // nobody is there to wait for
		return fmt.Errorf("wait for a compiler: %w", err)
	}
	j, ok := m.running[pid]
	delete(m.running, pid)
	if ok && status != 0 {
		return fmt.Errorf("make %s: %s ended with status %d; what it said is on the console", j.what, j.argv[0], status)
	}
	return nil
}
