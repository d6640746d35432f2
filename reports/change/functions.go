package change

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/reports/internal/number"
	"xsmbench/results"
)

// Functions are those of an image that are not what they were in another.
type Functions struct {
	Changed []Function // by name
	// Unknown says why they are not known, "" if they are.
	Unknown string
	// Counted tells that it is known what executed.
	Counted bool
}

// Function is one of them, or the part of it that the compiler moved out of its way.
type Function struct {
	hv.Difference
	// Executed tells that a window of one of the builds executed an instruction of
	// it. Nothing is known if that was not counted.
	Executed bool
}

// functionsOf compares what the runs recorded.
func functionsOf(base, build Side) Functions {
	var bodies [2][]hv.Body
	for i, s := range []Side{base, build} {
		of := s.Build
		if i == 0 && base.Run != build.Run {
			of += " of the earlier run"
		}
		var err error
		bodies[i], err = results.ReadFunctions(s.Dir, s.image())
		switch {
		case errors.Is(err, results.ErrNoFunctions):
			return Functions{Unknown: of + " has no record of its functions"}
		case err != nil:
			return Functions{Unknown: err.Error()}
		}
	}
	was, counted := base.executed()
	is, countedToo := build.executed()
	f := Functions{Counted: counted && countedToo}
	for _, d := range hv.Compare(bodies[0], bodies[1]) {
		name := d.Name
		if d.Part {
			name = bench.PartOf(name)
		}
		f.Changed = append(f.Changed, Function{d, was[name] || is[name]})
	}
	return f
}

func (s Side) executed() (map[string]bool, bool) {
	if s.Profile == nil {
		return nil, false
	}
	all, ok := s.Profile.Executed[s.Build]
	return all, ok
}

// Never are the functions that nothing executed; none if that was not counted.
func (f Functions) Never() []Function { return f.that(false) }

// Reached are the functions that executed.
func (f Functions) Reached() []Function { return f.that(true) }

func (f Functions) that(executed bool) []Function {
	if !f.Counted {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(f.Changed), func(x Function) bool { return x.Executed != executed })
}

// named is how many functions a sentence names.
const named = 6

// String says which functions changed, and which of them were not measured.
func (f Functions) String() string {
	never, reached := f.Never(), f.Reached()
	count := number.Count(len(f.Changed), "changed function")
	switch {
	case f.Unknown != "":
		return "which functions changed is not known: " + f.Unknown
	case len(f.Changed) == 0:
		return "no function changed"
	case !f.Counted:
		return fmt.Sprintf("%s: %s; which of them executed was not counted", count, Names(f.Changed))
	case len(never) == 0:
		return fmt.Sprintf("%s, all executed at least in part: %s", count, Names(reached))
	case len(reached) == 0:
		return fmt.Sprintf("%s, never executed: %s; no benchmark of the run reaches %s, so the figures say nothing of what the change costs", count, Names(never), them(never))
	}
	return fmt.Sprintf("%s: %d executed at least in part (%s), %d never executed: %s; no benchmark of the run reaches %s, so the figures say nothing of %s",
		count, len(reached), Names(reached), len(never), Names(never), them(never), them(never))
}

func them(list []Function) string {
	if len(list) == 1 {
		return "it"
	}
	return "them"
}

// Names lists functions; of many the first.
func Names(list []Function) string {
	var names []string
	for i, f := range list {
		if i == named && len(list) > named+1 {
			names = append(names, fmt.Sprintf("%d more", len(list)-named))
			break
		}
		names = append(names, f.String())
	}
	return strings.Join(names, ", ")
}

// String is the name, and what became of it.
func (f Function) String() string {
	var what []string
	if f.Part {
		what = append(what, "its out-of-line part")
	}
	switch {
	case f.Before == 0:
		what = append(what, "new")
	case f.After == 0:
		what = append(what, "gone")
	}
	if len(what) == 0 {
		return f.Name
	}
	return f.Name + " (" + strings.Join(what, ", ") + ")"
}
