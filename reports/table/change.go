package table

import (
	"xsmbench/hv"
	"xsmbench/reports/change"
	"xsmbench/reports/profile"
)

// jsonBuildChange is what was changed between two builds of one kind.
type jsonBuildChange struct {
	Base    string `json:"base"`
	Build   string `json:"build"`
	Arch    string `json:"arch"`
	Kind    string `json:"kind"`
	Earlier bool   `json:"earlier"` // the base is the build in an earlier run
	// Source is null if the run does not tell.
	Source *hv.SourceChange `json:"source"`
	// Policy is null if both builds enforce one policy, or the run does not tell.
	Policy    *hv.PolicyChange `json:"policy"`
	Config    []string         `json:"config"`
	Options   []string         `json:"options"`
	Functions jsonFunctions    `json:"functions"`
	// Gone are hooks that only the base crosses, New those that only the build does.
	Gone []jsonCrossed `json:"gone"`
	New  []jsonCrossed `json:"new"`
	// Hooks are instructions of a call, Outside those of an operation in a function
	// that is of no hook, from the least to the most over the benchmarks.
	Hooks   []jsonMore `json:"hooks"`
	Outside []jsonMore `json:"outside"`
}

type jsonFunctions struct {
	Counted bool           `json:"counted"` // it is known what executed
	Unknown string         `json:"unknown,omitempty"`
	Changed []jsonFunction `json:"changed"`
}

type jsonFunction struct {
	Name     string `json:"name"`
	Part     bool   `json:"part"` // out of the function's way
	Before   int64  `json:"before"`
	After    int64  `json:"after"` // bytes
	Executed *bool  `json:"executed"`
}

type jsonCrossed struct {
	Hook       string   `json:"hook"`
	Low        float64  `json:"low"`
	High       float64  `json:"high"`
	Benchmarks []string `json:"benchmarks"`
	All        bool     `json:"all"` // the other build crosses it nowhere
}

type jsonMore struct {
	Name       string   `json:"name"`
	Low        *float64 `json:"low"`
	High       *float64 `json:"high"`
	Benchmarks []string `json:"benchmarks"`
}

func changesJSON(changes []change.Change) []jsonBuildChange {
	var all []jsonBuildChange
	for _, c := range changes {
		out := jsonBuildChange{
			Base: c.Base, Build: c.Build, Arch: c.Arch, Kind: c.Kind, Earlier: c.Earlier, Source: c.Source, Policy: c.Policy,
			Config: append([]string{}, c.Config...), Options: append([]string{}, c.Options...), Functions: functionsJSON(c.Functions),
			Gone: crossedJSON(c.Gone), New: crossedJSON(c.New), Hooks: []jsonMore{}, Outside: []jsonMore{},
		}
		for _, h := range c.Hooks {
			out.Hooks = append(out.Hooks, jsonMore{h.Hook, finite(h.Low), finite(h.High), h.Benchmarks})
		}
		for _, m := range c.Movers {
			out.Outside = append(out.Outside, jsonMore{m.Function, finite(m.Low), finite(m.High), m.Benchmarks})
		}
		all = append(all, out)
	}
	return all
}

func functionsJSON(f change.Functions) jsonFunctions {
	out := jsonFunctions{Counted: f.Counted, Unknown: f.Unknown, Changed: []jsonFunction{}}
	for _, x := range f.Changed {
		one := jsonFunction{Name: x.Name, Part: x.Part, Before: x.Before, After: x.After}
		if f.Counted {
			one.Executed = &x.Executed
		}
		out.Changed = append(out.Changed, one)
	}
	return out
}

func crossedJSON(list []profile.Crossed) []jsonCrossed {
	all := []jsonCrossed{}
	for _, x := range list {
		all = append(all, jsonCrossed(x))
	}
	return all
}
