package main

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"maps"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"xsmbench/cmd/xsmbench/internal/cli"
	"xsmbench/internal/require"
)

// slowPace makes a shard last some seconds, one boot after the other, so that its node
// dies in the middle.
const slowPace = `{"Pace": 40000000}`

// TestSlurmCluster submits docs/fleet/slurm.sh to a real Slurm on this machine, of one
// controller and three nodes, and kills a node with all that runs there once its shard
// has measured something. Slurm starts the shard again on another node; the job that
// merges waits for it, its gate sees the change, and the run is that of one machine.
func TestSlurmCluster(t *testing.T) {
	needSlurm(t)
	t.Parallel()
	s := newFleetSite(t, true)
	run := filepath.Join(s.dir, "night")
	newSlurmCluster(s).night(run, "--only after", s.slurmArgs())
	if t.Failed() {
		return
	}
	sameRun(t, s.whole(s.base, s.change), run)
	s.checkGate(run+".shards/junit.xml", true)
}

// TestSlurmSeries does the same with a series.
func TestSlurmSeries(t *testing.T) {
	needSlurm(t)
	t.Parallel()
	s := newFleetSite(t, false)
	run, args := filepath.Join(s.dir, "branch"), s.revisions()
	newSlurmCluster(s).night(run, "--only flask", args)
	if t.Failed() {
		return
	}
	whole := s.wholeSeries(args)
	sameSeries(t, filepath.Join(s.dir, "whole"), run)
	s.checkGate(run+".shards/junit.xml", true)
	said, err := os.ReadFile(run + ".shards/merge.log")
	if want := strings.ReplaceAll(whole, filepath.Join(s.dir, "whole"), run); err != nil || !strings.Contains(string(said), want) {
		t.Errorf("the job that merges says (%v):\n%s\none machine says:\n%s", err, said, want)
	}
}

// needSlurm skips a test where Slurm is not installed, or cannot be started.
func needSlurm(t *testing.T) {
	t.Helper()
	for _, p := range []struct{ name, pkg string }{
		{"slurmctld", "slurmctld"}, {"slurmd", "slurmd"}, {"sbatch", "slurm-client"}, {"munged", "munge"},
	} {
		require.Program(t, p.name, p.pkg)
	}
	if os.Getuid() != 0 {
		require.Missing(t, "root, to start Slurm's daemons")
	}
}

// night submits the script with arguments, and lets a node die. The gate must see a
// regression.
func (c *slurmCluster) night(run, gate string, args []string) {
	c.t.Helper()
	const tasks = 4
	c.env = with(c.machine("login"), "XSMBENCH_COUNTING", slowPace)
	maps.Copy(c.env, map[string]string{"SLURM_CONF": c.conf, "SHARDS": fmt.Sprint(tasks), "RUN": run, "GATE": gate,
		"STORE": filepath.Join(c.dir, "runs.db"), "XDG_CACHE_HOME": filepath.Join(c.dir, "cache")})
	script := c.slurmScript("slurm.sh")
	said := c.mustRun("submit", shellScript{argv: append([]string{script}, args...), dir: c.repo, env: c.env}, 0)
	var array, merge int
	if _, err := fmt.Sscanf(said[max(0, strings.Index(said, "shards: ")):], "shards: job array %d; merge and gate: job %d;", &array, &merge); err != nil {
		c.t.Fatalf("%v:\n%s", err, said)
	}

	task := c.killWithShard("n2", run+".shards", tasks)
	c.must("scontrol", "update", "NodeName=n2", "State=DOWN", "Reason=died")
	c.drain(fmt.Sprintf("%d_%d", array, task))

	if got := c.field(fmt.Sprintf("%d_%d", array, task), "Restarts"); got != "1" {
		c.t.Errorf("task %d was started again %s times, want once", task, got)
	}
	if got := c.field(fmt.Sprintf("%d_%d", array, task), "NodeList"); got == "n2" {
		c.t.Errorf("task %d ran on %s again, which is dead", task, got)
	}
	if got, want := c.field(fmt.Sprint(merge), "ExitCode"), fmt.Sprintf("%d:0", cli.ExitRegression); got != want {
		c.t.Errorf("the job that merges ended with %s, want %s", got, want)
	}
	if c.t.Failed() {
		c.logs(run + ".shards")
	}
}

// slurmNodes are the names of the cluster's nodes.
var slurmNodes = []string{"n1", "n2", "n3"}

// slurmCluster is a controller and nodes, all of them on this machine.
type slurmCluster struct {
	*fleetSite
	home    string
	conf    string            // whose path must be absolute: steps hang otherwise
	env     map[string]string // of commands
	daemons []*exec.Cmd
	nodes   map[string]*exec.Cmd
}

// newSlurmCluster starts a cluster. Another program may take a port between its choice
// and its use, and then others are tried.
func newSlurmCluster(s *fleetSite) *slurmCluster {
	s.t.Helper()
	for try := 1; ; try++ {
		c := &slurmCluster{fleetSite: s, home: s.mkdir(filepath.Join(s.dir, fmt.Sprintf("slurm%d", try))), nodes: map[string]*exec.Cmd{}}
		c.conf = filepath.Join(c.home, "slurm.conf")
		c.env = map[string]string{"PATH": os.Getenv("PATH"), "SLURM_CONF": c.conf}
		s.t.Cleanup(c.stop)
		c.start()
		err := c.ready()
		if err == nil {
			return c
		}
		if try == 3 {
			c.logs("")
			s.t.Fatal(err)
		}
		s.t.Logf("the cluster does not start: %v", err)
		c.stop()
	}
}

// start starts the daemons: the one that vouches for users, the controller, the nodes.
func (c *slurmCluster) start() {
	c.t.Helper()
	munge := c.mkdir(filepath.Join(c.home, "munge"))
	key := make([]byte, 1024)
	_, _ = rand.Read(key)
	if err := os.WriteFile(filepath.Join(munge, "key"), key, 0o400); err != nil {
		c.t.Fatal(err)
	}
	c.write(c.conf, c.config(filepath.Join(munge, "socket")))
	// As root it must be forced to, which is said; it has a socket of its own.
	c.daemon("munged", "--foreground", "--force", "--socket="+filepath.Join(munge, "socket"), "--key-file="+filepath.Join(munge, "key"),
		"--pid-file="+filepath.Join(munge, "pid"), "--log-file="+filepath.Join(munge, "log"), "--seed-file="+filepath.Join(munge, "seed"))
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("unix", filepath.Join(munge, "socket")); err == nil {
			conn.Close()
			break
		}
	}
	c.daemon("slurmctld", "-D", "-f", c.conf)
	for _, n := range slurmNodes {
		c.nodes[n] = c.daemon("slurmd", "-D", "-N", n, "-f", c.conf)
	}
}

// config is the smallest that runs several nodes on one machine. It waits for nothing
// that a cluster in use would wait for.
func (c *slurmCluster) config(munge string) string {
	host, err := os.Hostname()
	if err != nil {
		c.t.Fatal(err)
	}
	host, _, _ = strings.Cut(host, ".")
	c.mkdir(filepath.Join(c.home, "state"))
	ports := freePorts(c.t, 1+len(slurmNodes))
	var b strings.Builder
	fmt.Fprintf(&b, `ClusterName=fleet
SlurmctldHost=%s(127.0.0.1)
SlurmctldPort=%d
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=%s
StateSaveLocation=%[4]s/state
SlurmdSpoolDir=%[4]s/spool-%%n
SlurmctldPidFile=%[4]s/slurmctld.pid
SlurmdPidFile=%[4]s/slurmd-%%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,sched_interval=1
ReturnToService=2
JobRequeue=1
MailProg=/bin/true
PartitionName=all Nodes=%[5]s Default=YES State=UP
`, host, ports[0], munge, c.home, strings.Join(slurmNodes, ","))
	for i, n := range slurmNodes {
		c.mkdir(filepath.Join(c.home, "spool-"+n))
		fmt.Fprintf(&b, "NodeName=%s NodeHostname=%s NodeAddr=127.0.0.1 Port=%d CPUs=1\n", n, host, ports[1+i])
	}
	return b.String()
}

// freePorts are ports that nobody listens on, below those that the kernel gives to
// whoever asks for any.
func freePorts(t *testing.T, n int) (ports []int) {
	t.Helper()
	for len(ports) < n {
		k, err := rand.Int(rand.Reader, big.NewInt(10000))
		if err != nil {
			t.Fatal(err)
		}
		l, err := net.Listen("tcp", fmt.Sprintf(":%d", 20000+k.Int64()))
		if err != nil {
			continue
		}
		defer l.Close() // after all are found, so that they differ
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

func (c *slurmCluster) daemon(name string, args ...string) *exec.Cmd {
	c.t.Helper()
	log, err := os.OpenFile(filepath.Join(c.home, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		c.t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(os.Environ(), "SLURM_CONF="+c.conf)
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.daemons = append(c.daemons, cmd)
	return cmd
}

// stop ends all that the cluster started, the last first.
func (c *slurmCluster) stop() {
	for _, n := range slurmNodes {
		c.killNode(n)
	}
	for i := len(c.daemons) - 1; i >= 0; i-- {
		d := c.daemons[i]
		_ = d.Process.Signal(syscall.SIGTERM) // it ends its own children; or it has ended
		late := time.AfterFunc(10*time.Second, func() { _ = d.Process.Kill() })
		_ = d.Wait()
		late.Stop()
	}
	c.daemons = nil
	for range 3 { // a job may have been about to begin
		for _, pid := range c.holders() {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// holders are the processes that have a file of the cluster open, or begin in its
// directory.
func (c *slurmCluster) holders() (pids []int) {
	for _, pattern := range []string{"/proc/[0-9]*/cwd", "/proc/[0-9]*/fd/*"} {
		links, _ := filepath.Glob(pattern)
		for _, link := range links {
			target, err := os.Readlink(link)
			pid, _ := strconv.Atoi(strings.Split(link, "/")[2])
			if err == nil && strings.HasPrefix(target, c.dir+"/") && pid != os.Getpid() {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// ready waits until all nodes are idle.
func (c *slurmCluster) ready() error {
	var said string
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		said, _ = c.command("sinfo", "--noheader", "--Node", "--format=%N=%T")
		if strings.Count(said, "=idle") == len(slurmNodes) {
			return nil
		}
	}
	return fmt.Errorf("after 30 seconds sinfo says: %s", said)
}

// command runs one of Slurm's, or another one in its environment.
func (c *slurmCluster) command(argv ...string) (said string, err error) {
	code, said, err := shellScript{argv: argv, dir: c.home, env: c.env}.run()
	if err == nil && code != 0 {
		err = fmt.Errorf("%q: exit code %d: %s", argv, code, said)
	}
	return said, err
}

func (c *slurmCluster) must(argv ...string) string {
	c.t.Helper()
	said, err := c.command(argv...)
	if err != nil {
		c.logs("")
		c.t.Fatal(err)
	}
	return said
}

// killWithShard kills a node once the shard that runs there has measured something, and
// returns its number.
func (c *slurmCluster) killWithShard(node, shards string, tasks int) int {
	c.t.Helper()
	for deadline := time.Now().Add(3 * time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		running, _ := c.command("squeue", "--noheader", "--states=RUNNING", "--array", "--format=%N %K") // or it is asked again
		for line := range strings.Lines(running) {
			on, text, _ := strings.Cut(strings.TrimSpace(line), " ")
			task, err := strconv.Atoi(text)
			if err != nil || on != node {
				continue
			}
			if n := endedBelow(filepath.Join(shards, text)); n > 0 {
				c.killNode(node)
				c.t.Logf("task %d of %d is on %s, which is killed after %d ends of boots in domains", task, tasks, node, n)
				return task
			}
		}
	}
	c.logs(shards)
	c.t.Fatalf("no shard on %s measured anything in three minutes", node)
	return 0
}

// killNode kills a node's daemon, and then all that runs there: jobs know their node,
// and are started by a process that has nothing else to do.
func (c *slurmCluster) killNode(name string) {
	if d := c.nodes[name]; d != nil && d.ProcessState == nil {
		_ = d.Process.Kill()
		_ = d.Wait()
	}
	for range 100 {
		victims := c.jobsOn(name)
		if victims == nil {
			return
		}
		for _, pid := range victims {
			if p, err := os.FindProcess(pid); err == nil {
				_ = p.Kill() // or it has ended
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	c.t.Errorf("processes of node %s do not end: %v", name, c.jobsOn(name))
}

// jobsOn are the processes of a node's jobs, each after the one that watches it.
func (c *slurmCluster) jobsOn(node string) (pids []int) {
	entries, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, e := range entries {
		env, err := os.ReadFile(e)
		if err != nil || !bytes.Contains(env, []byte("\x00SLURMD_NODENAME="+node+"\x00")) || !bytes.Contains(env, []byte("SLURM_CONF="+c.conf+"\x00")) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(e)))
		if err != nil {
			continue
		}
		if parent := parentOf(pid); commandOf(parent) == "slurmstepd" {
			pids = append(pids, parent)
		}
		pids = append(pids, pid)
	}
	return pids
}

func commandOf(pid int) string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return strings.TrimSpace(string(text))
}

// parentOf reads the fourth field of stat(5), of which the second may have spaces.
func parentOf(pid int) int {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 2 {
		return 0
	}
	n, _ := strconv.Atoi(fields[1])
	return n
}

// drain waits until no job is left. What was started on a node that died may begin again
// only after two minutes, unless an administrator says otherwise.
func (c *slurmCluster) drain(again string) {
	c.t.Helper()
	for deadline := time.Now().Add(4 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		left, err := c.command("squeue", "--noheader", "--array", "--format=%i %T %N %r")
		switch {
		case err == nil && left == "":
			return
		case time.Now().After(deadline):
			c.logs("")
			c.t.Fatalf("jobs are left (%v):\n%s", err, left)
		case strings.Contains(left, again+" PENDING  BeginTime"):
			_, _ = c.command("scontrol", "update", "JobId="+again, "StartTime=now") // or it has begun
		}
	}
}

// field is one of a job's, as Slurm shows them.
func (c *slurmCluster) field(job, name string) string {
	c.t.Helper()
	for word := range strings.FieldsSeq(c.must("scontrol", "--oneliner", "show", "job", job)) {
		if value, ok := strings.CutPrefix(word, name+"="); ok {
			return value
		}
	}
	return ""
}

// logs says what daemons and jobs wrote.
func (c *slurmCluster) logs(shards string) {
	files, _ := filepath.Glob(filepath.Join(c.home, "*.log"))
	if shards != "" {
		more, _ := filepath.Glob(filepath.Join(shards, "*.log"))
		files = append(files, more...)
	}
	for _, f := range files {
		text, _ := os.ReadFile(f)
		c.t.Logf("%s:\n%s", filepath.Base(f), text[max(0, len(text)-4000):])
	}
}
