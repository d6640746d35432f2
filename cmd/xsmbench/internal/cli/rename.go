package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"xsmbench/reports/compare"
	"xsmbench/reports/gate"
)

// renamer gives builds and benchmarks of an earlier run the names that they have
// now.
type renamer struct {
	flags []string          // OLD=NEW, of builds
	file  map[string]string // of the experiment file
	path  string            // of that file
}

// readRenames reads those of the experiment file. There are none without the
// file, unless that was given.
func readRenames(flags []string, path string, given bool) (renamer, error) {
	names, err := gate.ReadRenames(path)
	if errors.Is(err, fs.ErrNotExist) && !given {
		err = nil
	}
	return renamer{flags, names, path}, err
}

// apply renames what the earlier run has, and says what it renamed. A flag must
// name what there is; what a file names may have been renamed in the earlier run
// already.
func (r renamer) apply(now, before input) (said []string, err error) {
	names := compare.Renames{Builds: map[string]string{}, Benchmarks: map[string]string{}}
	builds, benchmarks := before.Samples.Builds(), before.Samples.Benchmarks()
	for _, old := range slices.Sorted(maps.Keys(r.file)) {
		isBuild, isBenchmark := slices.Contains(builds, old), slices.Contains(benchmarks, old)
		switch {
		case isBuild && isBenchmark:
			return nil, fmt.Errorf("%s: [%s] %q: the earlier run has a build and a benchmark of this name", r.path, gate.RenameKey, old)
		case isBuild:
			names.Builds[old] = r.file[old]
		case isBenchmark:
			names.Benchmarks[old] = r.file[old]
		default:
			said = append(said, fmt.Sprintf("%s: [%s] %q is no longer needed: the earlier run has no build and no benchmark of this name", r.path, gate.RenameKey, old))
		}
	}
	if err := r.ofFlags(names.Builds, now, builds); err != nil {
		return nil, err
	}
	if err := before.Rename(names); err != nil {
		return nil, fmt.Errorf("--against: %w", err)
	}
	for _, some := range []map[string]string{names.Builds, names.Benchmarks} {
		for _, old := range slices.Sorted(maps.Keys(some)) {
			said = append(said, fmt.Sprintf("renamed: %s of the earlier run is %s here", old, some[old]))
		}
	}
	return said, nil
}

// ofFlags adds those of the flags to the builds.
func (r renamer) ofFlags(names map[string]string, now input, builds []string) error {
	have := now.Samples.Builds()
	if now.Run != nil {
		for _, b := range now.Run.Spec.Builds {
			if !slices.Contains(have, b.Name) {
				have = append(have, b.Name)
			}
		}
	}
	for _, word := range r.flags {
		old, name, ok := strings.Cut(word, "=")
		switch {
		case !ok || old == "" || name == "":
			return fmt.Errorf("--rename %s: use OLD=NEW, names of a build in the earlier run and in this one", word)
		case !slices.Contains(builds, old):
			return fmt.Errorf("--rename %s: the earlier run has no build %s%s", word, old, suggest(old, builds))
		case !slices.Contains(have, name):
			return fmt.Errorf("--rename %s: this run has no build %s%s", word, name, suggest(name, have))
		}
		names[old] = name
	}
	return nil
}
