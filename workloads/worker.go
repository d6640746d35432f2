package workloads

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"xsmbench/bench"
)

// What a worker is asked by its first pipe. Its answer is a line in the second.
const (
	tell = 't'
	stop = 's'
)

// patience is how long a worker may take for an answer: some tasks, on a machine with
// more to do, since what was measured is lost without it.
const patience = 30 * time.Second

// answer is a worker's.
type answer struct {
	bench.Done
	Error string `json:"error,omitempty"` // with which it has ended
}

// worker is the process of a workload, as the one that started it sees it.
type worker struct {
	os      bench.OS
	pid     int
	ask     bench.FD
	answers bench.FD
	after   func()
}

func newWorker(os bench.OS, t task) (*worker, error) {
	asked, ask, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	answers, answering, err := os.Pipe()
	if err != nil {
		os.Close(asked)
		os.Close(ask)
		return nil, err
	}
	pid, err := os.Fork(func(os bench.OS) int {
		os.Close(ask)
		os.Close(answers)
		return work(os, asked, answering, t)
	})
	os.Close(asked)
	os.Close(answering)
	if err != nil {
		os.Close(ask)
		os.Close(answers)
		return nil, err
	}
	return &worker{os: os, pid: pid, ask: ask, answers: answers}, nil
}

// Did asks the worker, which answers between two tasks.
func (w *worker) Did() (bench.Done, error) {
	a, err := w.asked()
	if err == nil && a.Error != "" {
		err = errors.New(a.Error)
	}
	if err != nil {
		return a.Done, fmt.Errorf("the workload has ended after %v: %w", a.Done, err)
	}
	return a.Done, nil
}

func (w *worker) asked() (a answer, err error) {
	if _, err := w.os.Write(w.ask, []byte{tell}); err != nil {
		return a, err
	}
	line, err := w.line()
	if err != nil {
		return a, err
	}
	return a, json.Unmarshal(line, &a)
}

// line reads an answer.
func (w *worker) line() ([]byte, error) {
	var line []byte
	buffer := make([]byte, 512)
	for begun := w.os.Now(); !bytes.HasSuffix(line, []byte{'\n'}); {
		if !readable(w.os, w.answers) {
			if w.os.Now()-begun > patience {
				return nil, fmt.Errorf("its process does not answer for %v", patience)
			}
			w.os.Yield()
			continue
		}
		n, err := w.os.Read(w.answers, buffer)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, errors.New("its process is gone")
		}
		line = append(line, buffer[:n]...)
	}
	return line, nil
}

// Stop ends the worker, and waits for its end.
func (w *worker) Stop() {
	w.os.Write(w.ask, []byte{stop})
	w.os.Wait(w.pid)
	w.os.Close(w.ask)
	w.os.Close(w.answers)
	if w.after != nil {
		w.after()
	}
}

// readable reports whether a descriptor can be read without waiting.
func readable(os bench.OS, fd bench.FD) bool {
	var set bench.FDSet
	set.Set(fd)
	n, err := os.Select(int(fd)+1, &set)
	return err != nil || n > 0
}

// work does a task until it is told to stop. After an error it waits to be asked for it.
func work(os bench.OS, asked, answering bench.FD, t task) int {
	var a answer
	for {
		n, err := t(os)
		if err != nil {
			a.Error = err.Error()
		} else {
			a.Tasks++
			a.Bytes += n
		}
		for a.Error != "" || readable(os, asked) {
			if !answered(os, asked, answering, a) {
				return 0
			}
		}
		os.Yield()
	}
}

// answered answers one request; it is false if that was to stop.
func answered(os bench.OS, asked, answering bench.FD, a answer) bool {
	var request [1]byte
	if n, err := os.Read(asked, request[:]); err != nil || n == 0 || request[0] != tell {
		return false
	}
	line, err := json.Marshal(a)
	if err != nil {
		return false
	}
	_, err = os.Write(answering, append(line, '\n'))
	return err == nil
}
