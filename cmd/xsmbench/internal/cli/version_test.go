package cli

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestDescribeBuild(t *testing.T) {
	const commit = "0123456789abcdef0123456789abcdef01234567"
	settings := func(kv ...string) (all []debug.BuildSetting) {
		for i := 0; i < len(kv); i += 2 {
			all = append(all, debug.BuildSetting{Key: kv[i], Value: kv[i+1]})
		}
		return all
	}
	built := runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH + ")"
	for _, c := range []struct {
		name string
		info *debug.BuildInfo
		want string
	}{
		{"nothing known", nil, "unknown (commit unknown, " + built},
		{"not from a repository", &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, "devel (commit unknown, " + built},
		{"a release", &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: settings("vcs.revision", commit, "vcs.modified", "false")},
			"v1.2.3 (commit " + commit + ", " + built},
		{"with changes", &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3+dirty"}, Settings: settings("vcs.revision", commit, "vcs.modified", "true")},
			"v1.2.3+dirty (commit " + commit + " with changes, " + built},
		{"a commit alone", &debug.BuildInfo{Settings: settings("vcs.revision", commit, "vcs.modified", "true")},
			"0123456789ab+changes (commit " + commit + " with changes, " + built},
	} {
		if got := describeBuild(c.info); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
