package hvtest

import (
	"context"

	"xsmbench/bench"
	"xsmbench/hv"
)

var (
	_ hv.BodyReader     = (*Counting)(nil)
	_ hv.SourceComparer = (*Counting)(nil)
)

// Functions of an image. Those of revisions differ, but for the last.
const (
	executedFunction = "do_event_channel_op"
	neverFunction    = "evtchn_reset"
	sameFunction     = "lstar_enter"
)

// Bodies are three functions, of which revisions change two. Benchmarks execute one of
// those.
func (*Counting) Bodies(_ context.Context, img *hv.Image) ([]hv.Body, error) {
	var all []hv.Body
	for _, name := range []string{executedFunction, neverFunction, sameFunction} {
		code := name
		if name != sameFunction {
			code += img.Build.Rev
		}
		all = append(all, hv.Body{Name: name, Size: 100, Code: code, Shifted: code})
	}
	return all, nil
}

// CompareSources finds one file between two revisions.
func (*Counting) CompareSources(_ context.Context, before, after *hv.Image) hv.SourceChange {
	if before.Build.Rev == after.Build.Rev {
		return hv.SourceChange{}
	}
	return hv.SourceChange{Changed: 1, Added: 4, Removed: 2, Files: []hv.FileChange{
		{Path: "xen/common/event_channel.c", Added: 4, Removed: 2, Functions: []string{executedFunction, neverFunction}},
	}}
}

// profile is where the instructions of a revision were executed.
func profile(xen, xsm float64) *bench.Profile {
	return &bench.Profile{
		Windows: 1, Ops: 1,
		Paths: []bench.Path{
			{Handler: executedFunction, Function: executedFunction, Part: bench.PartEntry, Calls: 1, Instructions: int64(xen)},
			{Handler: executedFunction, Hook: "evtchn_send", Function: executedFunction, Part: bench.PartSite, Calls: 1, Instructions: int64(xsm)},
		},
		Executed: []string{executedFunction, sameFunction},
	}
}
