package host

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"xsmbench/bench"
	"xsmbench/hv"
)

// jobVariable makes the test's program another process of xsmbench, with the
// job that the variable describes.
const jobVariable = "XSMBENCH_TEST_JOB"

// job is what such a process does.
type job struct {
	Build hv.Build
	Plan  *bench.Plan // if it is to boot the image and measure
}

// outcome is what it tells.
type outcome struct {
	Image   *hv.Image
	Cached  bool
	Samples int
	Said    string // to the user
	Err     string
}

func TestMain(m *testing.M) {
	text := os.Getenv(jobVariable)
	if text == "" {
		os.Exit(m.Run())
	}
	if err := doJob(text); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// doJob begins at a line of input and goes on to use what it has built until the
// input ends.
func doJob(text string) error {
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return err
	}
	in := bufio.NewReader(os.Stdin)
	if _, err := in.ReadString('\n'); err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(j.do(context.Background())); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, in)
	return err
}

func (j job) do(ctx context.Context) (o outcome) {
	var mu sync.Mutex
	tg := New()
	img, err := tg.Build(ctx, j.Build, func(s string) {
		mu.Lock()
		defer mu.Unlock()
		o.Said += s + "\n"
	})
	if err == nil {
		o.Image, o.Cached = img, img.Cached
		err = j.measure(ctx, tg, &o)
	}
	if err != nil {
		o.Err = err.Error()
	}
	return o
}

func (j job) measure(ctx context.Context, tg *Target, o *outcome) error {
	if j.Plan == nil {
		return nil
	}
	m, err := tg.Boot(ctx, o.Image, hv.BootSpec{Plan: *j.Plan})
	if err != nil {
		return err
	}
	defer m.Close()
	return m.Measure(ctx, func(bench.Measurement) error {
		o.Samples++
		return nil
	})
}

// another is a process that waits to begin.
type another struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out io.Reader
}

func start(t *testing.T, j job, change ...func(*exec.Cmd)) *another {
	t.Helper()
	text, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe") // also for a user who cannot reach its path
	if _, err := os.Stat(cmd.Path); err != nil {
		cmd = exec.Command(os.Args[0])
	}
	cmd.Env = append(os.Environ(), jobVariable+"="+string(text))
	cmd.Stderr = os.Stderr
	for _, c := range change {
		c(cmd)
	}
	p := &another{t: t, cmd: cmd}
	if p.in, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if p.out, err = cmd.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return p
}

func (p *another) begin() {
	p.t.Helper()
	if _, err := io.WriteString(p.in, "begin\n"); err != nil {
		p.t.Fatal(err)
	}
}

// outcome waits for the end of the job.
func (p *another) outcome() outcome {
	p.t.Helper()
	var o outcome
	if err := json.NewDecoder(p.out).Decode(&o); err != nil {
		p.t.Fatal(err)
	}
	return o
}

// kill ends it as SIGKILL does.
func (p *another) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// inProcess does a job in another process.
func inProcess(t *testing.T, j job, change ...func(*exec.Cmd)) outcome {
	t.Helper()
	p := start(t, j, change...)
	defer p.kill()
	p.begin()
	o := p.outcome()
	if o.Err != "" && !strings.Contains(o.Err, "cannot be written") {
		t.Fatal(o.Err)
	}
	return o
}
