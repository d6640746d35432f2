package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func newMan() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the manual pages",
		Long: `Man writes a manual page for each command (xsmbench.1, xsmbench-run.1 and so on)
into a directory, and creates the directory. The man command finds pages in a
directory named man1, such as ~/.local/share/man/man1.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("man: one directory is needed (see xsmbench man --help)")
			}
			dir, err := filepath.Abs(args[0])
			if err != nil {
				return err
			}
			if err := os.MkdirAll(dir, 0o777); err != nil {
				return fmt.Errorf("write manual pages: %w", err)
			}
			return writeManual(c.Root(), dir)
		},
	}
}

// writeManual writes the pages of a command and those below it. They depend on
// nothing but the program: their date is its commit's.
func writeManual(root *cobra.Command, dir string) error {
	root.DisableAutoGenTag = true
	date := built()
	err := doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: "xsmbench " + version(), Manual: "xsmbench", Date: &date}, dir)
	if err != nil {
		return fmt.Errorf("write manual pages: %w", err)
	}
	return nil
}

// built is the time of the commit that the program was built from; of a program
// that does not know it, the epoch.
func built() time.Time {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return time.Unix(0, 0).UTC()
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.time" {
			if t, err := time.Parse(time.RFC3339, s.Value); err == nil {
				return t.UTC()
			}
		}
	}
	return time.Unix(0, 0).UTC()
}
