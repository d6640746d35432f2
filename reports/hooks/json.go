package hooks

import (
	"encoding/json"
	"io"
	"math"

	"xsmbench/bench"
	"xsmbench/reports/profile"
)

// Schema is the version of the JSON form.
const Schema = 1

type jsonRun struct {
	Schema     int             `json:"schema"`
	Target     string          `json:"target"`
	Accel      string          `json:"accel"`
	Base       string          `json:"base"`
	Builds     []string        `json:"builds"`
	Benchmarks []jsonBenchmark `json:"benchmarks"`
	Known      []string        `json:"known"` // all hooks
	Never      []string        `json:"never"` // crossed by no benchmark; null if not all were looked at
	Only       []jsonOnly      `json:"only,omitempty"`
	Code       []jsonCode      `json:"code,omitempty"`
	Problems   []string        `json:"problems"`
}

// jsonOnly is what hooks only one of two builds has.
type jsonOnly struct {
	Build    string   `json:"build"`
	Other    string   `json:"other"`
	BuildHas []string `json:"build_has"`
	OtherHas []string `json:"other_has"`
}

// jsonCode is what a build's image says of its code.
type jsonCode struct {
	Build   string   `json:"build"`
	Absent  []string `json:"absent"`  // what other releases have and it lacks
	Unknown []string `json:"unknown"` // where guests may enter it that the counting does not know
	Jumped  []string `json:"jumped"`  // hooks whose callers are charged with what they execute
}

type jsonBenchmark struct {
	Benchmark string     `json:"benchmark"`
	Arch      string     `json:"arch"`
	Domain    string     `json:"domain"`
	DomU      string     `json:"domu,omitempty"`
	Builds    []jsonCost `json:"builds"`
}

// jsonCost has figures of one operation; null is what is not known.
type jsonCost struct {
	Build      string          `json:"build"`
	Total      *float64        `json:"instructions"`
	Exact      bool            `json:"exact"`
	Boots      int             `json:"boots"`
	Inexact    []string        `json:"inexact,omitempty"`
	Path       []jsonVisit     `json:"path"`
	Hooks      []jsonHook      `json:"hooks"`
	AVC        *jsonAVC        `json:"avc,omitempty"`
	Policy     *jsonPolicy     `json:"policy,omitempty"`
	Difference *jsonDifference `json:"difference,omitempty"`
}

type jsonVisit struct {
	Handler string   `json:"handler"` // "" on the way in and out
	Times   float64  `json:"times"`
	Hooks   []string `json:"hooks"`
}

type jsonHook struct {
	Hook         string       `json:"hook"`
	Handlers     []string     `json:"handlers"`
	Calls        *float64     `json:"calls"`
	PerCall      *float64     `json:"instructions_per_call"`
	Instructions float64      `json:"instructions"`
	Share        *float64     `json:"share"` // of the operation's
	Site         float64      `json:"site"`
	Body         float64      `json:"body"`
	Thunk        float64      `json:"thunk"`
	Functions    []jsonChange `json:"functions"`
}

type jsonAVC struct {
	Lookups float64 `json:"lookups"`
	Misses  float64 `json:"misses"`
	// IfMissed is what the operation would execute more if no decision were in the
	// cache, instructions; absent if the run does not tell what a miss costs.
	IfMissed *float64 `json:"if_missed,omitempty"`
}

// jsonPolicy is instructions that depend on the policy, and those of the cache itself.
type jsonPolicy struct {
	Rules       float64 `json:"rules"`
	Constraints float64 `json:"constraints"`
	MLS         float64 `json:"mls"`
	Labels      float64 `json:"labels"`
	Tables      float64 `json:"tables"`
	Cache       float64 `json:"cache"`
}

type jsonDifference struct {
	Total     float64      `json:"total"`
	Site      float64      `json:"site"`
	Body      float64      `json:"body"`
	Thunk     float64      `json:"thunk"`
	Callers   float64      `json:"callers"`
	Rest      float64      `json:"rest"`
	Functions []jsonChange `json:"functions"`
}

type jsonChange struct {
	Hook         string     `json:"hook,omitempty"`
	Function     string     `json:"function"`
	Part         bench.Part `json:"part,omitempty"`
	Calls        float64    `json:"calls,omitempty"`
	Instructions float64    `json:"instructions"`
}

// JSON writes the profile for programs.
func JSON(w io.Writer, r *profile.Run, o Options) error {
	out := jsonRun{
		Schema: Schema, Target: r.Target, Accel: r.Accel, Base: o.Base, Builds: r.Builds,
		Known: orEmpty(r.Known), Problems: []string{},
	}
	if !r.Part {
		out.Never = orEmpty(r.Coverage().Never)
	}
	out.Only, out.Code = onlyOf(r, o.Base), codeOf(r)
	for _, b := range r.Benchmarks {
		out.Benchmarks = append(out.Benchmarks, benchmarkOf(r, b, o))
	}
	for _, p := range r.Problems {
		if !p.Note {
			out.Problems = append(out.Problems, p.String())
		}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

func onlyOf(r *profile.Run, base string) []jsonOnly {
	var list []jsonOnly
	for _, o := range r.Onlys(base) {
		list = append(list, jsonOnly{o.Build, o.Other, orEmpty(o.First), orEmpty(o.Second)})
	}
	return list
}

func codeOf(r *profile.Run) []jsonCode {
	var list []jsonCode
	for _, b := range r.Builds {
		if c := r.Code[b]; len(c.Absent)+len(c.Unknown)+len(c.Jumped) > 0 {
			list = append(list, jsonCode{b, orEmpty(c.Absent), orEmpty(c.Unknown), orEmpty(c.Jumped)})
		}
	}
	return list
}

func benchmarkOf(r *profile.Run, b *profile.Benchmark, o Options) jsonBenchmark {
	j := jsonBenchmark{Benchmark: b.Name, Arch: b.Arch, Domain: b.Domain, DomU: b.DomU}
	for _, build := range r.Builds {
		c := b.Costs[build]
		if c == nil {
			continue
		}
		cost := costOf(build, c)
		if more, ok := r.IfMissed(b, build); ok && cost.AVC != nil {
			cost.AVC.IfMissed = &more
		}
		if d, ok := c.Difference(b.Costs[o.Base]); ok && build != o.Base {
			cost.Difference = differenceOf(d)
		}
		j.Builds = append(j.Builds, cost)
	}
	return j
}

func costOf(build string, c *profile.Cost) jsonCost {
	j := jsonCost{
		Build: build, Total: known(c.Total), Exact: c.Exact, Boots: c.Boots, Inexact: c.Inexact,
		Path: []jsonVisit{}, Hooks: []jsonHook{},
	}
	for _, v := range c.Visits() {
		visit := jsonVisit{Handler: v.Handler, Times: v.Times, Hooks: []string{}}
		for _, h := range v.Hooks {
			visit.Hooks = append(visit.Hooks, h.Hook)
		}
		j.Path = append(j.Path, visit)
	}
	for _, h := range c.Hooks {
		j.Hooks = append(j.Hooks, hookOf(c, h))
	}
	if a := c.AVC(); a != (profile.AVC{}) {
		j.AVC = &jsonAVC{Lookups: a.Lookups, Misses: a.Misses}
	}
	if f := c.Flask(); f.Asked() {
		j.Policy = &jsonPolicy{f.Rules, f.Constraints, f.MLS, f.Labels, f.Tables, f.Cache}
	}
	return j
}

func hookOf(c *profile.Cost, h profile.Hook) jsonHook {
	j := jsonHook{
		Hook: h.Name, Handlers: orEmpty(h.Handlers), PerCall: known(h.PerCall()), Instructions: h.Instructions(),
		Share: known(c.Share(h)), Site: h.Site, Body: h.Body, Thunk: h.Thunk, Functions: []jsonChange{},
	}
	if h.Calls != 0 {
		j.Calls = known(h.Calls)
	}
	for _, f := range h.Functions {
		j.Functions = append(j.Functions, jsonChange{Function: f.Function, Part: f.Part, Calls: f.Calls, Instructions: f.Instructions})
	}
	return j
}

func differenceOf(d profile.Difference) *jsonDifference {
	j := &jsonDifference{Total: d.Total, Site: d.Site, Body: d.Body, Thunk: d.Thunk, Callers: d.Callers, Rest: d.Rest(), Functions: []jsonChange{}}
	for _, c := range d.Functions {
		j.Functions = append(j.Functions, jsonChange{Hook: c.Hook, Function: c.Function, Part: c.Part, Instructions: c.Instructions})
	}
	return j
}

// known is nil for what is not known.
func known(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
