package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/dustin/go-humanize/english"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"xsmbench/hv/store"
	"xsmbench/hv/store/depot"
)

const (
	// storeURL is the flag, and the key of the experiment file, that names the
	// shared store.
	storeURL = "store-url"
	// storeURLVariable is the environment's name of it. An URL with a password has
	// a better place there than on a command line, which other users see.
	storeURLVariable = "XSMBENCH_STORE_URL"
)

func storeURLFlag(fs *pflag.FlagSet) {
	fs.String(storeURL, "", "`URL` of a store that machines share, to fetch entries from and to put them there: "+depot.Forms+" (default: $"+storeURLVariable+")")
}

// sharing has a command exchange entries of the store with the shared store that
// is named, if one is.
func sharing(run func(*cobra.Command, []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		url, by := storeURLOf(c)
		if url == "" {
			return run(c, args)
		}
		d, err := depot.Open(url)
		if err != nil {
			return fmt.Errorf("%s: %w", by, err)
		}
		x := store.NewExchange(d)
		store.Share(x)
		defer store.Share(nil)
		defer func() { endSharing(c.Context(), c.ErrOrStderr(), d, x) }()
		return run(c, args)
	}
}

// storeURLOf is the shared store's URL, and what names it: the flag, the
// environment, or the experiment file, the first of them that does. A file that
// cannot be read is left to who reads the rest of it.
func storeURLOf(c *cobra.Command) (url, by string) {
	if f := c.Flags().Lookup(storeURL); f.Changed {
		return f.Value.String(), "--" + storeURL
	}
	if url := os.Getenv(storeURLVariable); url != "" {
		return url, storeURLVariable
	}
	path, _ := configOf(c)
	var file map[string]any
	if _, err := toml.DecodeFile(path, &file); err != nil {
		return "", ""
	}
	url, _ = file[storeURL].(string)
	return url, path + ": " + storeURL
}

// endSharing waits until what was made is in the shared store, and says what was
// exchanged.
func endSharing(ctx context.Context, w io.Writer, d store.Depot, x *store.Exchange) {
	if n := x.Pending(); n > 0 && ctx.Err() == nil {
		fmt.Fprintf(w, "putting %s into the shared store\n", english.Plural(n, "entry", "entries"))
	}
	if line := exchanged(x.Close(ctx)); line != "" {
		fmt.Fprintf(w, "shared store %s: %s\n", d, line)
	}
}

// exchanged says what an exchange did, "" if it was nothing.
func exchanged(e store.Exchanged) string {
	var words []string
	add := func(n int, format string, args ...any) {
		if n > 0 {
			words = append(words, fmt.Sprintf(format, args...))
		}
	}
	entries := func(n int) string { return english.Plural(n, "entry", "entries") }
	add(e.Fetched, "fetched %s (%s)", entries(e.Fetched), size(e.BytesFetched))
	add(e.Put, "put %s (%s)", entries(e.Put), size(e.BytesPut))
	if e.ReadOnly {
		add(1, "it takes no entries of this machine")
	}
	add(e.Abandoned, "%s not put yet: the next run offers them again", entries(e.Abandoned))
	add(e.Failed, "%s failed, the first: %v", english.Plural(e.Failed, "request", "requests"), e.Err)
	return strings.Join(words, "; ")
}

// withoutCredentials are arguments of this program with the shared store's URL as
// it may be shown.
func withoutCredentials(args []string) []string {
	shown := make([]string, len(args))
	for i, arg := range args {
		name, value, joined := strings.Cut(arg, "=")
		switch {
		case name == "--"+storeURL && joined:
			arg = name + "=" + depot.Shown(value)
		case i > 0 && args[i-1] == "--"+storeURL:
			arg = depot.Shown(arg)
		}
		shown[i] = arg
	}
	return shown
}
