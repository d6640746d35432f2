package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// WriteReference writes the commands and flags as Markdown: the second half
// of docs/command-line.md.
func WriteReference(w io.Writer) error {
	var b strings.Builder
	for _, c := range commands(newRoot(io.Discard, io.Discard)) {
		if c.Hidden || c.Name() == "help" || c.Name() == "completion" {
			continue
		}
		fmt.Fprintf(&b, "## %s\n\n%s.\n\n    %s\n", c.CommandPath(), c.Short, c.UseLine())
		if c.Long != "" {
			fmt.Fprintf(&b, "\n%s\n", strings.TrimSpace(c.Long))
		}
		writeFlags(&b, c.Flags())
		fmt.Fprintln(&b)
	}
	_, err := io.WriteString(w, strings.TrimSuffix(b.String(), "\n"))
	return err
}

// commands are those below a command, each before its own.
func commands(c *cobra.Command) []*cobra.Command {
	var all []*cobra.Command
	for _, sub := range c.Commands() {
		all = append(append(all, sub), commands(sub)...)
	}
	return all
}

func writeFlags(b *strings.Builder, fs *pflag.FlagSet) {
	if !fs.HasAvailableFlags() {
		return
	}
	fmt.Fprint(b, "\n| flag | value | default | meaning |\n| --- | --- | --- | --- |\n")
	fs.VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" {
			return
		}
		name := "`--" + f.Name + "`"
		if f.Shorthand != "" {
			name = "`-" + f.Shorthand + "`, " + name
		}
		kind, usage := pflag.UnquoteUsage(f)
		def := strings.Trim(f.DefValue, "[]")
		if def == "false" || def == "0s" || def == "0" && strings.Contains(usage, "(default") {
			def = ""
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", name, kind, def, usage)
	})
}

// Check tells whether a command line is one that Run would accept: its
// command and flags exist and their values can be read. Nothing is run.
func Check(args []string) error {
	root := newRoot(io.Discard, io.Discard)
	root.InitDefaultVersionFlag()
	root.InitDefaultCompletionCmd(args...)
	c, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	if err := c.ParseFlags(rest); err != nil && !errors.Is(err, pflag.ErrHelp) {
		return fmt.Errorf("%s: %w", c.CommandPath(), err)
	}
	if c == root {
		return unknownCommand(c, c.Flags().Args())
	}
	if c.Args != nil {
		return c.Args(c, c.Flags().Args())
	}
	return nil
}
