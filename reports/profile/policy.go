package profile

import (
	"slices"
	"strings"
)

// Flask is what of FLASK's instructions was for what, per operation.
type Flask struct {
	Cache       float64 // decisions are looked up, inserted, and make room for others
	Rules       float64 // a decision is made, on a miss
	Constraints float64
	MLS         float64 // levels are compared, and those of labels computed
	Labels      float64 // labels of new objects are computed
	// Tables are look-ups in the policy's tables of rules, labels and sets, which
	// decisions and labels share.
	Tables float64
}

// Policy is what depends on the policy: all but the cache.
func (f Flask) Policy() float64 { return f.Rules + f.Constraints + f.MLS + f.Labels + f.Tables }

// Asked says whether the policy was asked: for a decision, or for a label.
func (f Flask) Asked() bool { return f.Rules+f.Labels > 0 }

type flaskPart struct {
	of    func(*Flask) *float64
	names []string
}

// parts tell by the beginnings of their names what functions of Xen's xsm/flask and of
// the model's do. The first that fits counts.
var parts = []flaskPart{
	{func(f *Flask) *float64 { return &f.Cache }, []string{
		"avc_", "avc.(*Cache).", "flask.(*Module).hasPerm", "flask.(*Module).domainHas", "flask.(*Module).onEvent", "flask.(*Module).onDomains", "flask.(*Module).ask", "flask.(*Module).decide"}},
	{func(f *Flask) *float64 { return &f.MLS }, []string{
		"mls_", "ebitmap_cmp", "ebitmap_contains", "ebitmap_cpy", "ebitmap_destroy",
		"policydb.(*constraintOp).compareLevels", "policydb.(*Level", "policydb.(*DB).validRange", "policydb.(*DB).validLevel", "policydb.Bitmap.Contains", "ss.(*policy).newRange"}},
	{func(f *Flask) *float64 { return &f.Constraints }, []string{"constraint_expr_eval", "policydb.(*Constraint).", "policydb.(*constraintOp).", "policydb.(*Check).", "policydb.(*test).", "ss.(*policy).constrain"}},
	{func(f *Flask) *float64 { return &f.Rules }, []string{
		"security_compute_av", "context_struct_compute_av", "cond_compute_av",
		"ss.(*Server).ComputeAV", "ss.(*policy).contextAV", "ss.(*policy).typeEnforcement", "ss.(*policy).bound", "ss.(*policy).mayChangeRole", "ss.(*policy).classAV", "ss.(*matrix).", "ss.(*classMap).", "ss.(*part)."}},
	{func(f *Flask) *float64 { return &f.Labels }, []string{
		"security_compute_sid", "security_transition_sid", "security_member_sid", "security_change_sid", "sidtab_context_to_sid", "policydb_context_isvalid",
		"ss.(*Server).", "ss.(*policy).newContext", "ss.(*policy).changeRole", "ss.(*sidTable).contextToSID", "policydb.(*DB).Valid", "policydb.(*Context)."}},
	{func(f *Flask) *float64 { return &f.Tables }, []string{
		"avtab_", "sidtab_", "ebitmap_", "hashtab_", "cond_", "symhash", "symcmp", "strcmp", "strlen", "__find_", "ss.", "policydb."}},
}

// OfCache says of a function of Xen's or of the model's that it is the access vector
// cache's.
func OfCache(function string) bool {
	return slices.ContainsFunc(parts[0].names, func(name string) bool { return strings.HasPrefix(function, name) })
}

// flaskOf sums up a hook's functions.
func flaskOf(functions []Path) Flask {
	var sum Flask
	for _, f := range functions {
		i := slices.IndexFunc(parts, func(p flaskPart) bool {
			return slices.ContainsFunc(p.names, func(name string) bool { return strings.HasPrefix(f.Function, name) })
		})
		if i >= 0 {
			*parts[i].of(&sum) += f.Instructions
		}
	}
	return sum
}

// Flask is that of all hooks of the operation.
func (c *Cost) Flask() Flask {
	var sum Flask
	for _, h := range c.Hooks {
		for _, p := range parts {
			*p.of(&sum) += *p.of(&h.Flask)
		}
	}
	return sum
}
