package cli

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"xsmbench/hv"
)

func newBuild() *cobra.Command {
	var f buildFlags
	var layouts int
	c := &cobra.Command{
		Use:   "build",
		Short: "Build the images, or find them in the store",
		Long: `Build builds the images that run would boot, and prints their hashes and sizes. An
image that was built before from the same source, flags and compiler is taken from
the store.`,
		Args: cobra.NoArgs,
		RunE: sharing(func(c *cobra.Command, _ []string) error {
			if err := withConfig(c); err != nil {
				return err
			}
			in, err := f.inputs()
			if err != nil {
				return err
			}
			images, err := in.Images(c.Context(), layouts, printLine(c.ErrOrStderr()))
			if err != nil {
				return inFlags(err)
			}
			return writeImages(c.OutOrStdout(), images)
		}),
	}
	f.register(c.Flags())
	c.Flags().IntVar(&layouts, "layouts", 1, "number of layouts of each build")
	configFlag(c)
	return c
}

func configFlag(c *cobra.Command) {
	c.Flags().String("config", "", "experiment file (default: "+configFile+" if it is there)")
}

// printLine returns a function that prints lines.
func printLine(w io.Writer) func(string) {
	return func(s string) { fmt.Fprintln(w, s) }
}

// writeImages prints a line per image.
func writeImages(w io.Writer, images []hv.Image) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "build\tarch\tlayout\thooks\tbytes\t.text\thash\ttoolchain\tfile")
	for _, img := range images {
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%d\t%d\t%.12s\t%s\t%s\n", img.Build.Name, img.Build.Arch, img.Build.Layout,
			img.Dispatch, img.Size, img.Sections[".text"], img.Hash, img.Toolchain, img.Path)
	}
	return t.Flush()
}
