package about

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"al.essio.dev/pkg/shellescape"

	"xsmbench/hv"
	"xsmbench/reports/compare"
	"xsmbench/results"
)

// NotRecorded is what a checklist says of what is in none of the run's files.
const NotRecorded = "not recorded"

// Criteria is the label of the item that says by what verdicts are given.
const Criteria = "margins and floors"

// Item is a question that a reviewer asks of a measurement, and the answer.
type Item struct {
	Label string
	Lines []Line // never empty
}

// Line is an answer, or that of one build.
type Line struct {
	Build string // "" for all
	Text  string
	More  string // the same at length, empty if Text is all
}

// Recorded reports whether the run's files answer.
func (i Item) Recorded() bool {
	return slices.ContainsFunc(i.Lines, func(l Line) bool { return l.Text != NotRecorded })
}

// checklist answers a reviewer's questions in the order in which they are
// asked: what was built, where it ran, how it was set up, how it was judged,
// and how to see it again.
func checklist(run *results.Run, samples *compare.Set, builds []Build) []Item {
	s, h := run.Spec, run.Host
	one := func(label, text string) Item { return Item{label, answer(Line{Text: text})} }
	setting := func(label, item string) Item { return Item{label, answer(settingLines(run.Settings, item)...)} }
	return []Item{
		{"source revision", answer(revisions(run, builds)...)},
		{"configuration", answer(buildLines(builds, func(b Build) (string, string) { return b.Short, unlessSame(b.Config, b.Short) })...)},
		{"compiler", answer(buildLines(builds, func(b Build) (string, string) { return b.Toolchain, "" })...)},
		{"hooks are reached by", answer(buildLines(builds, func(b Build) (string, string) { return b.Dispatch, "" })...)},
		{"image sizes", answer(sizes(builds)...)},
		{"image hashes", answer(buildLines(builds, func(b Build) (string, string) { return hashes(b.Hashes), "" })...)},
		one("CPU", join(", ", h.CPU, count(h.CPUs, "CPU"), memory(h.MemoryMB), virtual(h.Virtual))),
		one("system", join(", ", h.OS, h.Arch, h.Kernel, prefix("governor ", h.Governor))),
		one("mitigations", mitigations(h.Mitigations)),
		one("target", join(", ", s.Target, prefix("workload ", s.Workload))),
		{"accelerator", answer(slices.Concat(accelerator(s.Accel), settingLines(run.Settings, hv.SettingEmulator))...)},
		{"domains", answer(append([]Line{{Text: join("; ", strings.Join(s.Domains, ", "), prefix("domU: ", domU(s)))}},
			settingLines(run.Settings, hv.SettingGuests)...)...)},
		setting("vCPUs and pinning", hv.SettingVCPUs),
		setting("policy and mode", hv.SettingPolicy),
		setting("hypervisor's command line", hv.SettingOptions),
		setting("AVC state", hv.SettingAVC),
		one("rounds", join(", ", rounds(s), prefix("started ", started(run)))),
		{Criteria, answer(Line{Text: criteria(s.Criteria)})},
		{"raw data", answer(rawData(samples)...)},
		one("command to repeat", shellescape.QuoteCommand(run.Command)),
		one("tool", prefix("xsmbench ", run.Tool)),
	}
}

// answer is what is known, or that nothing is.
func answer(lines ...Line) []Line {
	lines = slices.DeleteFunc(slices.Clone(lines), func(l Line) bool { return l.Text == "" })
	if len(lines) == 0 {
		return []Line{{Text: NotRecorded}}
	}
	return lines
}

func unlessSame(long, short string) string {
	if long == short {
		return ""
	}
	return long
}

// buildLines asks each build, and gives one answer where all agree.
func buildLines(builds []Build, ask func(Build) (text, more string)) []Line {
	var all []Line
	same := true
	for _, b := range builds {
		text, more := ask(b)
		all = append(all, Line{buildName(builds, b), text, more})
		same = same && text == all[0].Text && more == all[0].More
	}
	if same && len(all) > 1 {
		all = all[:1]
		all[0].Build = ""
	}
	return all
}

// buildName tells builds of several architectures apart.
func buildName(builds []Build, b Build) string {
	if slices.ContainsFunc(builds, func(o Build) bool { return o.Arch != b.Arch }) {
		return b.Name + " " + b.Arch
	}
	return b.Name
}

// revisions are those of the trees that the builds are from: what the
// configuration says, else what was asked for.
func revisions(run *results.Run, builds []Build) []Line {
	return buildLines(builds, func(b Build) (string, string) {
		if source, _, ok := options(b.Config); ok {
			return source, ""
		}
		i := slices.IndexFunc(run.Images, func(img hv.Image) bool { return img.Build.Name == b.Name && img.Build.Arch == b.Arch })
		asked := run.Images[i].Build
		if text := join(", revision ", asked.Source, asked.Rev); text != "" {
			return text, ""
		}
		return ownTree(run.Tool), ""
	})
}

// ownTree is xsmbench's own source, from which a target may be built.
func ownTree(tool string) string {
	switch tool {
	case "":
		return ""
	case "devel", "unknown":
		return "xsmbench's own tree, of a revision that is not recorded: the hashes of the images tell it from others"
	}
	return "xsmbench's own tree, " + tool
}

// sizes are the builds' images in bytes, and what they are more than the first.
func sizes(builds []Build) []Line {
	var all []Line
	for i, b := range builds {
		if b.Size == 0 {
			continue
		}
		var base Build
		if i > 0 && b.Arch == builds[0].Arch {
			base = builds[0]
		}
		all = append(all, Line{buildName(builds, b), sizeText(b.Size, base.Size) + " bytes", sections(b.Sections, base.Sections)})
	}
	return all
}

func sections(sizes, base map[string]int64) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(sizes)) {
		all = append(all, name+" "+sizeText(sizes[name], base[name]))
	}
	return strings.Join(all, ", ")
}

// sizeText is a size, and what it is more than the base's if that is known.
func sizeText(size, base int64) string {
	if base == 0 {
		return fmt.Sprint(size)
	}
	return fmt.Sprintf("%d (%+d)", size, size-base)
}

func hashes(all []string) string {
	if len(all) == 1 {
		return all[0]
	}
	var short []string
	for _, h := range all {
		short = append(short, Short(h))
	}
	return strings.Join(short, ", ")
}

func accelerator(accel string) []Line {
	if accel == "" {
		return []Line{{Text: "the target's own (none was named)"}}
	}
	return []Line{{Text: accel}}
}

func settingLines(settings []hv.Setting, item string) []Line {
	var all []Line
	for _, s := range settings {
		if s.Item == item {
			all = append(all, Line{Build: s.Build, Text: s.Text})
		}
	}
	return all
}

func criteria(c *results.Criteria) string {
	if c == nil {
		return ""
	}
	return compare.DescribeCriteria(*c)
}

// virtual is how the machine is one, "yes" where its maker is not known.
func virtual(by string) string {
	if by == "yes" {
		return "itself virtual"
	}
	return prefix("itself virtual: ", by)
}

func started(run *results.Run) string {
	if run.Started.IsZero() {
		return ""
	}
	return run.Started.UTC().Format("2006-01-02 15:04 UTC")
}

// rawData says where the samples are.
func rawData(samples *compare.Set) []Line {
	var all []Line
	for _, s := range samples.Sources() {
		all = append(all, Line{Text: join(", ", fmt.Sprintf("%s: %s in Go's benchmark format", s.Dir, count(s.Files, "file")),
			count(s.Samples, "sample"), prefix("of ", count(s.Boots, "boot")))})
	}
	return all
}
