// Package about says what a report's figures are of: which target, which
// builds and how they reach their hooks, on which machine. It takes that from
// run.json and adds nothing.
package about

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"

	"al.essio.dev/pkg/shellescape"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/reports/account"
	"xsmbench/reports/change"
	"xsmbench/reports/compare"
	"xsmbench/reports/internal/number"
	"xsmbench/reports/profile"
	"xsmbench/results"
)

// About is what a report says of its origin.
type About struct {
	// Incomplete says what was planned and has no sample: the first line of
	// every report. It is empty if there is nothing of the kind. Lacks are its
	// parts.
	Incomplete string
	Lacks      []account.Difference

	Subject Subject
	Facts   []Fact
	Builds  []Build
	// Checklist answers a reviewer's questions; empty if the run is unknown.
	Checklist []Item
	// Changes are what was changed between the base and builds of its kind; none
	// unless WithChanges added them.
	Changes []change.Change
	// Notes are what a reader must know to read the figures rightly.
	Notes []string
	// Problems are what was wrong with the files read.
	Problems []results.Problem
}

// ProblemLines are the problems in words; those of a file that say the same
// stand in one line.
func (a About) ProblemLines() []string { return problemLines(a.Problems) }

// Unreadable are the problems of what could not be used: whoever reads the
// figures must know of them first.
func (a About) Unreadable() []string { return a.problemsThat(false) }

// Remarks are the other problems: what the files say themselves was not measured.
func (a About) Remarks() []string { return a.problemsThat(true) }

func (a About) problemsThat(note bool) []string {
	return problemLines(slices.DeleteFunc(slices.Clone(a.Problems), func(p results.Problem) bool { return p.Note != note }))
}

func problemLines(problems []results.Problem) []string {
	type same struct{ file, text string }
	var order []same
	lines := map[same][]string{}
	for _, p := range problems {
		k := same{p.File, p.Text}
		if lines[k] == nil {
			order = append(order, k)
		}
		if p.Line > 0 {
			lines[k] = append(lines[k], fmt.Sprint(p.Line))
		} else {
			lines[k] = append(lines[k], "")
		}
	}
	var all []string
	for _, k := range order {
		at := k.file
		if of := strings.Join(lines[k], ","); strings.Trim(of, ",") != "" {
			at += ":" + of
		}
		all = append(all, at+": "+k.text)
	}
	return all
}

// Fact is a labelled line.
type Fact struct{ Label, Text string }

// Build is one build as it was measured.
type Build struct {
	Name, Arch string
	Dispatch   string // how a hook is reached
	Hashes     []string
	Toolchain  string
	Config     string
	Policy     string // SHA-256 of the policy that it loads, "" for its own or none
	// Short is Config in a few words: what differs from the first build's.
	Short string
	Size  int64 // bytes
	// Sections are the sizes of what the image consists of, in bytes.
	Sections map[string]int64
}

// Of describes a run, where its samples are and what they measure; a nil run
// describes files whose run is unknown, nil samples are none.
func Of(run *results.Run, samples *compare.Set, problems []results.Problem) About {
	known := samples != nil
	if !known {
		samples = &compare.Set{}
	}
	a := About{Problems: problems}
	if run == nil {
		a.Notes = append(a.Notes, "no run.json: nothing is known of the machine and the builds but what the samples say")
		return a
	}
	if known {
		a.lack(&run.Spec, "", samples.Cells(), problems)
	}
	a.Builds = builds(run.Images)
	a.Subject = subject(run, a.Builds)
	a.Facts = facts(run)
	a.Checklist = checklist(run, samples, a.Builds)
	a.Notes = notes(run, samples.Units())
	return a
}

// OfInput describes what a comparison is made from.
func OfInput(in *compare.Input) About {
	a := Of(in.Run, in.Samples, in.Problems)
	if in.Run == nil {
		for _, p := range in.Plans {
			a.lack(&p.Spec, p.Dir+": ", in.Samples.CellsOf(p.Dir), in.ProblemsOf(p.Dir))
		}
	}
	return a
}

// WithChanges adds what was changed between the base and other builds of a run, whose
// profile may be nil. What of them no benchmark executes is a note.
func (a About) WithChanges(in *compare.Input, base string, r *profile.Run) About {
	a.Changes, a.Notes = change.Of(in.Run, in.Dir, base, r), slices.Clone(a.Notes)
	for _, c := range a.Changes {
		if len(c.Functions.Never()) > 0 {
			a.Notes = append(a.Notes, fmt.Sprintf("%s against %s: %s", c.Build, c.Base, c.Functions))
		}
	}
	return a
}

// lack adds what a run was to measure and did not.
func (a *About) lack(s *results.Spec, run string, measured []compare.Cell, problems []results.Problem) {
	lacks := account.Gaps(s, measured, problems)
	line := account.Line(s, lacks)
	if line == "" {
		return
	}
	a.Lacks = append(a.Lacks, lacks...)
	if a.Incomplete == "" {
		a.Incomplete = "incomplete: " + run + line
	} else {
		a.Incomplete += "; " + run + line
	}
}

func facts(run *results.Run) []Fact {
	s, h := run.Spec, run.Host
	var all []Fact
	add := func(label, text string) {
		if text != "" {
			all = append(all, Fact{label, text})
		}
	}
	add("target", join(", ", s.Target, s.SampleAccel(), prefix("workload ", s.Workload)))
	add("domU", domU(s))
	add("machine", join(", ", h.CPU, count(h.CPUs, "CPU"), memory(h.MemoryMB), prefix("virtual: ", h.Virtual)))
	add("system", join(", ", h.OS, h.Arch, h.Kernel, prefix("governor ", h.Governor)))
	add("mitigations", mitigations(h.Mitigations))
	add("rounds", rounds(s))
	if s.Criteria != nil {
		add("planned", compare.DescribeCriteria(*s.Criteria))
	}
	add("left out", leftOut(s.Refused))
	add("started", started(run))
	add("command", shellescape.QuoteCommand(run.Command))
	add("tool", prefix("xsmbench ", run.Tool))
	return all
}

// leftOut names what the target does not run, by reason.
func leftOut(refused []results.Refused) string {
	var reasons, parts []string
	names := map[string][]string{}
	for _, r := range refused {
		if names[r.Reason] == nil {
			reasons = append(reasons, r.Reason)
		}
		names[r.Reason] = append(names[r.Reason], r.Benchmark)
	}
	for _, reason := range reasons {
		parts = append(parts, strings.Join(names[reason], ", ")+" ("+reason+")")
	}
	return strings.Join(parts, "; ")
}

func domU(s results.Spec) string {
	idle := ""
	if s.Idle > 0 {
		idle = fmt.Sprintf("%d idle beside it", s.Idle)
	}
	return join(", ", strings.Join(s.DomUKinds(), " and "), idle)
}

func rounds(s results.Spec) string {
	if s.Rounds == 0 {
		return ""
	}
	text := count(s.Rounds, "round")
	if layouts := min(s.Layouts, s.Rounds); layouts > 1 {
		text += fmt.Sprintf(" over %d layouts of each build", layouts)
	}
	return join("; ", text, budget(s.Budget))
}

// budget says how the rounds were chosen.
func budget(b *results.Budget) string {
	if b == nil {
		return ""
	}
	var taken []string
	for _, l := range b.Taken {
		taken = append(taken, fmt.Sprint(l.Rounds))
	}
	return fmt.Sprintf("a budget of %s chose them: looks after %s, %d planned", b.Time, cmp.Or(strings.Join(taken, ", "), "none yet"), len(b.Looks))
}

func mitigations(m map[string]string) string {
	var names []string
	for name, state := range m {
		if !strings.HasPrefix(state, "Not affected") {
			names = append(names, name+": "+state)
		}
	}
	sort.Strings(names)
	return strings.Join(names, "; ")
}

func builds(images []hv.Image) []Build {
	var all []Build
	for _, img := range images {
		i := slices.IndexFunc(all, func(b Build) bool { return b.Name == img.Build.Name && b.Arch == img.Build.Arch })
		if i < 0 {
			i = len(all)
			all = append(all, Build{Name: img.Build.Name, Arch: img.Build.Arch, Dispatch: img.Dispatch,
				Toolchain: img.Toolchain, Config: img.Config, Policy: img.Policy, Size: img.Size, Sections: img.Sections})
		}
		if !slices.Contains(all[i].Hashes, img.Hash) {
			all[i].Hashes = append(all[i].Hashes, img.Hash)
		}
	}
	shorten(all)
	return all
}

// notes warns of readings that the figures do not bear.
func notes(run *results.Run, units []string) []string {
	var all []string
	what := run.Spec.Target
	if run.Spec.Accel != "" {
		what += " under " + run.Spec.Accel
	}
	counted, timed := slices.ContainsFunc(units, compare.IsCount), slices.ContainsFunc(units, isTime)
	if counted {
		windows := "marked windows"
		if n := run.Spec.Options.Windows; n > 0 {
			windows = fmt.Sprintf("%d marked windows", n)
		}
		all = append(all, fmt.Sprintf("xen-instr/op are instructions that Xen executed on the target %q for one operation, counted in %s in each boot; figures are those of windows that nothing interrupted; those in which the guest asked Xen for other things than in nearly all are left out", what, windows))
		all = append(all, jobNotes(run.Spec.Benchmarks)...)
	}
	switch {
	case !timed && counted:
		all = append(all, "no time was measured: the counts do not depend on the machine's speed, and say nothing of caches, branch prediction or the cost of single instructions")
	case timed || len(units) == 0:
		all = append(all, fmt.Sprintf("ns/op and MB/s are wall time of the target %q on this machine, as its domains' clocks saw it", what))
		if strings.Contains(strings.ToLower(run.Spec.Accel), "tcg") {
			all = append(all, "under TCG wall time is that of the emulator: compare instructions")
		}
	}
	if run.Host.Virtual != "" && (timed || !counted) {
		all = append(all, "the machine is itself a virtual one: neighbours may have disturbed it")
	}
	return all
}

// jobNotes say of macro benchmarks and of long operations that they are counted otherwise than the rest.
func jobNotes(benchmarks []string) []string {
	var all []string
	for _, name := range benchmarks {
		switch b, _ := bench.Find(name); {
		case b.Job != nil:
			all = append(all, fmt.Sprintf("%s is counted as a whole, in %d windows of each boot, with the interrupts that come in them", name, b.Job.Windows))
		case b.Whole:
			all = append(all, fmt.Sprintf("%s is counted as a whole, with the interrupts that come in its windows", name))
		}
	}
	return all
}

// isTime reports whether a unit is one of time, or of something in a time.
func isTime(unit string) bool {
	return unit == "ns/op" || unit == "s" || unit == "sec" || compare.IsRate(unit)
}

// Short is a hash's start, enough to tell images apart.
func Short(hash string) string { return hash[:min(12, len(hash))] }

// Describe is the build in one line.
func (b Build) Describe() string {
	hash := ""
	switch len(b.Hashes) {
	case 0:
	case 1:
		hash = "image " + Short(b.Hashes[0])
	default:
		hash = count(len(b.Hashes), "image")
	}
	return join(", ", "hooks: "+b.Dispatch, b.Arch, hash, b.Toolchain, prefix("configuration ", b.Short), prefix("policy ", Short(b.Policy)))
}

func join(sep string, words ...string) string {
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), sep)
}

func prefix(p, text string) string {
	if text == "" {
		return ""
	}
	return p + text
}

// count is empty where there is none, or nothing is known.
func count(n int, noun string) string {
	if n == 0 {
		return ""
	}
	return number.Count(n, noun)
}

func memory(mb int64) string {
	if mb == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f GB", float64(mb)/1000)
}
