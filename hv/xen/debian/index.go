package debian

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"xsmbench/hv/store"
)

// indexes are the archives' lists of packages, one a day.
var indexes = store.Register(store.Kind{
	Name: "package-indexes", Doc: "lists of the packages in the distribution's archives", Bound: 300 << 20,
})

// daysBack is how old an index may be when no newer one can be fetched.
const daysBack = 60

// Machine is a Debian machine, as far as packages go. Its zero value is the
// one that this program runs on.
type Machine struct {
	// Release is the Debian release to take packages of, by its code name
	// ("trixie"); "" for the one that the machine is configured for.
	Release string
	// Archive is the URL of a Debian archive to take them from, as a mirror has
	// ("http://mirror.example/debian"); "" for those that the machine is
	// configured for.
	Archive string

	Etc string           // directory of apt's configuration; "" for /etc/apt
	Now func() time.Time // nil for time.Now
}

// String names the machine among others of a process.
func (m Machine) String() string { return fmt.Sprintf("%s %s %s", m.Release, m.Archive, m.etc()) }

func (m Machine) etc() string {
	if m.Etc == "" {
		return "/etc/apt"
	}
	return m.Etc
}

func (m Machine) today() time.Time {
	if m.Now == nil {
		return time.Now()
	}
	return m.Now()
}

// Open takes today's index of the archives from the store, or fetches it. If
// it cannot be fetched, an older one will do, with a word.
func (m Machine) Open(ctx context.Context, s *store.Store, kind Kind, progress func(string)) (*Archive, error) {
	if err := need("apt-get"); err != nil {
		return nil, err
	}
	entries, err := m.sources(kind)
	if err != nil {
		return nil, err
	}
	keyOf := func(day time.Time) store.Key { return store.KeyOf(entries, day.Format(time.DateOnly)) }
	today := m.today()
	index, err := s.Get(ctx, indexes, keyOf(today), store.Recipe{
		What: "the index of packages of " + today.Format(time.DateOnly), Progress: progress,
		Make: func(ctx context.Context, dir string) error {
			progress("fetching the index of " + m.packages(kind))
			return m.fetchIndex(ctx, dir, entries)
		},
	})
	if err != nil && ctx.Err() == nil {
		var day time.Time
		if index, day = olderIndex(s, today, keyOf); index != nil {
			progress(fmt.Sprintf("%v; the index of %s is used", err, day.Format(time.DateOnly)))
			err = nil
		}
	}
	if err != nil {
		return nil, err
	}
	return m.newArchive(s, index)
}

// olderIndex finds the newest index before today's.
func olderIndex(s *store.Store, today time.Time, keyOf func(time.Time) store.Key) (*store.Entry, time.Time) {
	for back := 1; back <= daysBack; back++ {
		day := today.AddDate(0, 0, -back)
		if index, err := s.Lookup(indexes, keyOf(day)); err == nil {
			return index, day
		}
	}
	return nil, time.Time{}
}

// Files of an index.
const (
	sourcesFile = "machine.sources"
	listsDir    = "lists"
)

// packages says in words which an index has.
func (m Machine) packages(kind Kind) string {
	words := "packages"
	if kind == Source {
		words = "source packages"
	}
	if m.Release != "" {
		words = m.Release + "'s " + words
	}
	if m.Archive != "" {
		words += " at " + m.Archive
	}
	return words
}

func (m Machine) fetchIndex(ctx context.Context, dir, entries string) error {
	if err := os.MkdirAll(filepath.Join(dir, listsDir, "partial"), 0o755); err != nil {
		return fmt.Errorf("fetch the package index: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, sourcesFile), []byte(entries), 0o644); err != nil {
		return fmt.Errorf("fetch the package index: %w", err)
	}
	// Failures of single archives are errors, too: an index that lacks half
	// of the packages would be taken for today's.
	args := append(m.options(dir), "-o", "APT::Update::Error-Mode=any", "update", "-qq")
	if _, err := run(ctx, dir, "apt-get", args...); err != nil {
		return fmt.Errorf("fetch the package index: %w", err)
	}
	return nil
}

// options make apt's programs work on an index. Nothing is written there: it
// belongs to all who use it. What the machine prefers among its own releases says
// nothing of other ones.
func (m Machine) options(index string) []string {
	all := []string{
		"-o", "Dir::Etc::sourcelist=" + filepath.Join(index, sourcesFile),
		"-o", "Dir::Etc::sourceparts=-",
		"-o", "Dir::State::lists=" + filepath.Join(index, listsDir),
		"-o", "Dir::Cache::pkgcache=",
		"-o", "Dir::Cache::srcpkgcache=",
		"-o", "APT::Sandbox::User=",
	}
	if m.Release != "" || m.Archive != "" {
		all = append(all, "-o", "APT::Default-Release=", "-o", "Dir::Etc::preferences=-", "-o", "Dir::Etc::preferencesparts=-")
	}
	return all
}
