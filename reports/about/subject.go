package about

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	"xsmbench/results"
)

// Subject is what was measured on what, for the first line of a report. What is
// not known is empty.
type Subject struct {
	Target  string // the target's name
	Version string // of the source that it was built from, where it has one
	Commit  string // of that source, or of the tool that is the source
	Accel   string
	Machine string
	Started time.Time
	Tool    string // the version of xsmbench
}

// described is what git describe makes of a commit after a tag.
var described = regexp.MustCompile(`^(.*?)(?:[-+~][0-9]+)?-g([0-9a-f]{7,40})$`)

func subject(run *results.Run, builds []Build) Subject {
	h := run.Host
	s := Subject{
		Target: run.Spec.Target, Accel: run.Spec.SampleAccel(), Started: run.Started, Tool: run.Tool,
		Machine: join(", ", h.CPU, count(h.CPUs, "CPU")),
	}
	var versions, commits []string
	for _, b := range builds {
		source, _, ok := options(b.Config)
		if !ok {
			continue
		}
		version, commit := source, ""
		if m := described.FindStringSubmatch(source); m != nil {
			version, commit = m[1], m[2]
		}
		versions, commits = once(versions, version), once(commits, commit)
	}
	if len(versions) == 0 { // the target is of xsmbench's own tree
		for _, img := range run.Images {
			commits = once(commits, cmp.Or(img.Revision, img.Build.Rev))
		}
		if len(commits) == 0 && s.Tool != "devel" && s.Tool != "unknown" {
			commits = once(commits, s.Tool)
		}
	}
	s.Version, s.Commit = strings.Join(versions, " and "), strings.Join(commits, " and ")
	return s
}

// once adds a word that is not there yet.
func once(list []string, word string) []string {
	if word == "" || slices.Contains(list, word) {
		return list
	}
	return append(list, word)
}

// Name is the target with its version: "xen 4.17.5".
func (s Subject) Name() string { return join(" ", s.Target, s.Version) }
