package experiment

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"xsmbench/results"
)

// describeHost reads what the kernel tells about this machine; what it does
// not tell stays empty.
func describeHost() results.Host {
	h := results.Host{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU()}
	h.Kernel = readLine("/proc/sys/kernel/osrelease")
	h.Governor = readLine("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
	cpuinfo, _ := os.ReadFile("/proc/cpuinfo")
	h.CPU = field(string(cpuinfo), "model name")
	h.MHz, _ = strconv.ParseFloat(field(string(cpuinfo), "cpu MHz"), 64)
	if strings.Contains(" "+field(string(cpuinfo), "flags")+" ", " hypervisor ") {
		h.Virtual = "yes"
		if v := readLine("/sys/class/dmi/id/sys_vendor"); v != "" {
			h.Virtual = v
		}
	}
	meminfo, _ := os.ReadFile("/proc/meminfo")
	if kb, err := strconv.ParseInt(strings.TrimSuffix(field(string(meminfo), "MemTotal"), " kB"), 10, 64); err == nil {
		h.MemoryMB = kb / 1024
	}
	const vulnerabilities = "/sys/devices/system/cpu/vulnerabilities"
	entries, _ := os.ReadDir(vulnerabilities)
	for _, e := range entries {
		text := readLine(filepath.Join(vulnerabilities, e.Name()))
		if text == "" || text == "Not affected" {
			continue
		}
		if h.Mitigations == nil {
			h.Mitigations = map[string]string{}
		}
		h.Mitigations[e.Name()] = text
	}
	return h
}

func readLine(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSpace(line)
}

// field is the value of the first "key : value" line.
func field(text, key string) string {
	for line := range strings.Lines(text) {
		k, v, ok := strings.Cut(line, ":")
		if ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
