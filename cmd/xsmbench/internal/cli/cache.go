package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
	"github.com/spf13/cobra"

	"xsmbench/hv/store"
)

// listFormats are the ways to write a list of things.
var listFormats = []string{"text", "json"}

func newCache() *cobra.Command {
	var format string
	var all bool
	c := &cobra.Command{
		Use:   "cache",
		Short: "Show the store, and remove entries from it",
		Long: `The store keeps what later runs can reuse: Xen's source, builds, packages, file
systems, snapshots. It is the folder xsmbench in $XDG_CACHE_HOME, or in ~/.cache.
Cache lists the kinds of entries with their sizes and ages; with --all it lists
every entry.

Each kind has a size limit. When a new entry exceeds it, the least recently used
entries are removed. An entry that a running xsmbench uses is never removed.

Earlier versions of xsmbench used other folders next to the store. Cache lists
those folders; prune and clear remove them.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if !slices.Contains(listFormats, format) {
				return fmt.Errorf("--format %s: no such format%s", format, suggest(format, listFormats))
			}
			s, err := store.Default()
			if err != nil {
				return err
			}
			list, err := s.List()
			if err != nil {
				return err
			}
			switch {
			case format == "json":
				return writeCacheJSON(c.OutOrStdout(), s, list)
			case all:
				return writeEntries(c.OutOrStdout(), list, time.Now())
			}
			if err := writeKinds(c.OutOrStdout(), s, list, time.Now()); err != nil {
				return err
			}
			return writeEarlier(c.OutOrStdout(), s)
		},
	}
	c.Flags().StringVar(&format, "format", "text", "text or json")
	c.Flags().BoolVar(&all, "all", false, "list each entry")
	c.AddCommand(newCachePrune(), newCacheClear())
	return c
}

func newCachePrune() *cobra.Command {
	return &cobra.Command{
		Use:   "prune",
		Short: "Remove entries that are damaged, left over, or beyond the size limit",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := store.Default()
			if err != nil {
				return err
			}
			removed, err := s.Prune()
			if err != nil {
				return err
			}
			return writeRemoved(c.OutOrStdout(), removed)
		},
	}
}

func newCacheClear() *cobra.Command {
	return &cobra.Command{
		Use:   "clear [KIND...]",
		Short: "Remove all entries, or all of some kinds, that are not in use",
		RunE: func(c *cobra.Command, args []string) error {
			s, err := store.Default()
			if err != nil {
				return err
			}
			known := kindNames()
			for _, name := range args {
				if !slices.Contains(known, name) {
					return fmt.Errorf("unknown kind %q%s", name, suggest(name, known))
				}
			}
			removed, err := s.Clear(args...)
			if err != nil {
				return err
			}
			return writeRemoved(c.OutOrStdout(), removed)
		},
	}
}

func kindNames() []string {
	var names []string
	for _, k := range store.Kinds() {
		names = append(names, k.Name)
	}
	return names
}

// summary is what the store has of one kind.
type summary struct {
	Kind    string    `json:"kind"`
	Doc     string    `json:"doc,omitempty"`
	Entries int       `json:"entries"`
	InUse   int       `json:"in_use"`
	Damaged int       `json:"damaged"`
	Bytes   int64     `json:"bytes"`
	Bound   int64     `json:"bound,omitempty"` // 0: none is known
	Oldest  time.Time `json:"oldest"`
	Used    time.Time `json:"used"` // last
}

// summarize adds the list up by kind, kinds without entries included.
func summarize(list []store.Info) []*summary {
	var all []*summary
	byKind := map[string]*summary{}
	of := func(kind string) *summary {
		if byKind[kind] == nil {
			byKind[kind] = &summary{Kind: kind}
			all = append(all, byKind[kind])
		}
		return byKind[kind]
	}
	for _, k := range store.Kinds() {
		s := of(k.Name)
		s.Doc, s.Bound = k.Doc, k.Bound
	}
	for _, i := range list {
		s := of(i.Kind)
		s.Entries++
		s.Bytes += i.Size
		if i.InUse {
			s.InUse++
		}
		if i.Damage != "" {
			s.Damaged++
		}
		if s.Oldest.IsZero() || i.Made.Before(s.Oldest) {
			s.Oldest = i.Made
		}
		if i.Used.After(s.Used) {
			s.Used = i.Used
		}
	}
	return all
}

func writeKinds(w io.Writer, s *store.Store, list []store.Info, now time.Time) error {
	fmt.Fprintln(w, s.Dir())
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "kind\tentries\tsize\tbound\toldest\tlast used\twhat it is")
	var total int64
	for _, k := range summarize(list) {
		total += k.Bytes
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.Kind, k.count(), size(k.Bytes), bound(k.Bound), age(k.Oldest, now), age(k.Used, now), k.Doc)
	}
	fmt.Fprintf(t, "total\t%d\t%s\t\t\t\t\n", len(list), size(total))
	return t.Flush()
}

// count is how many entries there are, and what is to be known of them.
func (s *summary) count() string {
	text := fmt.Sprint(s.Entries)
	var notes []string
	if s.InUse > 0 {
		notes = append(notes, fmt.Sprintf("%d in use", s.InUse))
	}
	if s.Damaged > 0 {
		notes = append(notes, fmt.Sprintf("%d damaged", s.Damaged))
	}
	if notes != nil {
		text += " (" + strings.Join(notes, ", ") + ")"
	}
	return text
}

// writeEarlier names what earlier versions have left.
func writeEarlier(w io.Writer, s *store.Store) error {
	for _, e := range s.Earlier() {
		_, err := fmt.Fprintf(w, "folder %s of an earlier version is not used any more: %s; \"xsmbench cache prune\" removes it\n", e.Name, size(e.Size))
		if err != nil {
			return err
		}
	}
	return nil
}

func writeEntries(w io.Writer, list []store.Info, now time.Time) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "kind\tkey\tsize\tmade\tlast used\tstate\twhat")
	for _, i := range list {
		state := "ok"
		switch {
		case i.Damage != "":
			state = "to be made anew: " + i.Damage
		case i.InUse:
			state = "in use"
		}
		fmt.Fprintf(t, "%s\t%.12s\t%s\t%s\t%s\t%s\t%s\n", i.Kind, i.Key, size(i.Size), age(i.Made, now), age(i.Used, now), state, i.What)
	}
	return t.Flush()
}

func writeCacheJSON(w io.Writer, s *store.Store, list []store.Info) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(struct {
		Schema  int             `json:"schema"`
		Dir     string          `json:"dir"`
		Kinds   []*summary      `json:"kinds"`
		Entries []store.Info    `json:"entries"`
		Earlier []store.Earlier `json:"earlier,omitempty"` // folders of versions of before the store
	}{1, s.Dir(), summarize(list), list, s.Earlier()})
}

func writeRemoved(w io.Writer, r store.Removed) error {
	text := "removed " + english.Plural(r.Entries, "entry", "entries")
	if r.Earlier > 0 {
		text += " and " + english.Plural(r.Earlier, "folder", "") + " of an earlier version"
	}
	text += ", " + size(r.Bytes)
	if r.InUse > 0 {
		text += fmt.Sprintf("; kept %d that are in use", r.InUse)
	}
	_, err := fmt.Fprintln(w, text)
	return err
}

func size(bytes int64) string { return humanize.IBytes(uint64(max(0, bytes))) }

func bound(bytes int64) string {
	if bytes == 0 {
		return "none"
	}
	return size(bytes)
}

func age(t, now time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return humanize.RelTime(t, now, "ago", "from now")
}
