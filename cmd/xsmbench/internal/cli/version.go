package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Long:  "Version prints the version, the commit that the program was built from, and the version of Go that built it.",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(c.OutOrStdout(), "xsmbench", versionText())
			return err
		},
	}
}

// versionText is the version with what it was built from and with.
func versionText() string {
	info, _ := debug.ReadBuildInfo()
	return describeBuild(info)
}

func describeBuild(info *debug.BuildInfo) string {
	commit, changes := revision(info)
	switch {
	case commit == "":
		commit = "commit unknown"
	case changes:
		commit = "commit " + commit + " with changes"
	default:
		commit = "commit " + commit
	}
	return fmt.Sprintf("%s (%s, %s %s/%s)", versionOf(info), commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// version is the module's version, or the revision that it was built from.
func version() string {
	info, _ := debug.ReadBuildInfo()
	return versionOf(info)
}

func versionOf(info *debug.BuildInfo) string {
	if info == nil {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	commit, changes := revision(info)
	switch {
	case commit == "":
		return "devel"
	case changes:
		return commit[:min(12, len(commit))] + "+changes"
	}
	return commit[:min(12, len(commit))]
}

// revision is the commit that a program was built from, "" if that is not known,
// and whether there were changes that were not committed.
func revision(info *debug.BuildInfo) (commit string, changes bool) {
	if info == nil {
		return "", false
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			commit = strings.TrimSpace(s.Value)
		case "vcs.modified":
			changes = s.Value == "true"
		}
	}
	return commit, changes
}
