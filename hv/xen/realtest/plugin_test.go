//go:build realxen

package realtest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"xsmbench/hv/xen/qemu"
)

// wrapper stands before QEMU: it starts the real one with the plug-in or
// without, and keeps what the guests reported and how long that took of each
// machine that had one. $1 and so on are QEMU's arguments.
const wrapper = `#!/bin/bash
args=() plugin= results= state=
while [ $# -gt 0 ]; do
	case $1 in
	-plugin) plugin=$2; [ "$XSMBENCH_TEST_PLUGIN" = drop ] || args+=("$1" "$2"); shift 2; continue;;
	-chardev) [ -n "$results" ] || { results=${2##*,path=}; results=${results%%,*}; };;
	-incoming) state=$2;;
	esac
	args+=("$1"); shift
done
begin=$(date +%s%N)
"$XSMBENCH_TEST_QEMU" "${args[@]}"
status=$?
end=$(date +%s%N)
if [ -n "$plugin" ]; then
	entry=${state#exec:cat }; entry=${entry%/files/*}
	name=${entry##*/}-$(basename "$(dirname "$results")")
	cp "$results" "$XSMBENCH_TEST_KEEP/$name.results"
	echo $((end - begin)) >"$XSMBENCH_TEST_KEEP/$name.time"
fi
exit $status
`

// resumes runs the suite once on two builds, with the plug-in or without, and
// returns what the guests of each resume reported, and its time in seconds.
func resumes(t testing.TB, plugin string) (reports map[string]string, seconds map[string]float64) {
	t.Helper()
	real, err := exec.LookPath(qemu.Program)
	if err != nil {
		t.Fatal(err)
	}
	bin, keep := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, qemu.Program), []byte(wrapper), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "run", "--target", "xen", "--bench", suite, "--builds", "native,flask", "--aa=false", "--rounds", "1", "-o", filepath.Join(t.TempDir(), "run"))
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "XSMBENCH_TEST_QEMU="+real, "XSMBENCH_TEST_KEEP="+keep, "XSMBENCH_TEST_PLUGIN="+plugin)
	out, err := cmd.CombinedOutput()
	// Without the plug-in there is nothing to count, and the run says so.
	if failed := err != nil; failed != (plugin == "drop") || failed && !bytes.Contains(out, []byte("windows: no such file")) {
		t.Fatalf("plug-in %s: %v\n%s", plugin, err, out)
	}
	reports, seconds = map[string]string{}, map[string]float64{}
	files, _ := filepath.Glob(filepath.Join(keep, "*.results"))
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".results")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		reports[name] = string(text)
		ns, err := os.ReadFile(strings.TrimSuffix(path, ".results") + ".time")
		if err != nil {
			t.Fatal(err)
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(string(ns)), 64)
		if err != nil {
			t.Fatal(err)
		}
		seconds[name] = n / 1e9
	}
	if len(reports) != 4 {
		t.Fatalf("plug-in %s: %d machines, want two builds in two domains", plugin, len(reports))
	}
	return reports, seconds
}

// TestPluginChangesNothing: the guests report the same, to the last digit of
// each virtual time, whether the plug-in counts or not.
func TestPluginChangesNothing(t *testing.T) {
	t.Parallel()
	with, _ := resumes(t, "keep")
	without, _ := resumes(t, "drop")
	for name, text := range with {
		if !strings.Contains(text, " sample {") {
			t.Errorf("%s: no sample in what was reported: %.200s", name, text)
		}
		if text != without[name] {
			t.Errorf("%s: the guests' reports differ:\n%s\n---\n%s", name, text, without[name])
		}
	}
}

// BenchmarkPlugin is what the plug-in costs: the time of a resume with it, as a
// share of that without it, both measured in turn.
func BenchmarkPlugin(b *testing.B) {
	var with, without float64
	for b.Loop() {
		_, s := resumes(b, "drop")
		for _, v := range s {
			without += v
		}
		_, s = resumes(b, "keep")
		for _, v := range s {
			with += v
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(without/float64(b.N), "s-without/op")
	b.ReportMetric(with/float64(b.N), "s-with/op")
	b.ReportMetric(100*(with/without-1), "%more")
	fmt.Fprintf(os.Stderr, "the plug-in: %+.1f%% of a resume's time\n", 100*(with/without-1))
}
