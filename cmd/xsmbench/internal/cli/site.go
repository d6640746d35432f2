package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"xsmbench/reports/about"
	"xsmbench/reports/answer"
	"xsmbench/reports/site"
	"xsmbench/results/history"
)

func newSite() *cobra.Command {
	var store, out, title string
	c := &cobra.Command{
		Use:   "site",
		Short: "Write a small web site of a history: state, trends, comparisons",
		Long: `Site writes static pages of all runs in a history: the last state of each label with
what changed in it, a chart of each benchmark over the runs with the commits that
changed it, and a page that compares any two runs. No server is needed: open
index.html, or let any web server serve the folder.

The same history gives the same files. Files that have not changed are not written
again, and each is replaced as a whole, so that the folder can be served meanwhile.
Site writes over its own files only.

[rename] in the experiment file gives builds and benchmarks of older runs their new
names, in the trends and where runs are compared.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if err := withConfig(c); err != nil {
				return err
			}
			if out == "" {
				return errors.New("site: name the folder to write with -o")
			}
			path, given := configOf(c)
			renames, err := readRenames(nil, path, given)
			if err != nil {
				return err
			}
			s, err := openStore(store)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			collectOften()
			w, err := site.Write(out, s, site.Options{Title: title, Answer: answerOfStored, Rename: renames.file})
			if err != nil {
				return err
			}
			fmt.Fprintf(c.ErrOrStderr(), "%s, %s: %d written, %d removed\n", number(w.Runs, "run"), number(w.Files, "file"), w.Changed, w.Removed)
			_, err = fmt.Fprintln(c.OutOrStdout(), w.Index)
			return err
		},
	}
	storeFlag(c.Flags(), &store)
	c.Flags().StringVarP(&out, "output", "o", "", "folder to write (required)")
	c.Flags().StringVar(&title, "title", "What XSM hooks cost", "title of the site")
	configFlag(c)
	return c
}

// answerOfStored is what the report of a run says first, had it been made from the
// history: there are no profiles. A run that cannot be compared has no answer.
func answerOfStored(_ history.Run, files []history.File) (a *answer.Answer, err error) {
	temp, err := os.MkdirTemp("", "xsmbench-site-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	if err := history.Restore(temp, files); err != nil {
		return nil, err
	}
	in, err := readInput(temp)
	if err != nil {
		return nil, err
	}
	c, err := in.compare(compareFlags{single: true})
	if err != nil || len(c.Rows) == 0 {
		return nil, err
	}
	return answer.Of(c, about.OfInput(in.Input), nil), nil
}
