// Package experiment is one run from question to samples. A Question says in
// values what is to be measured. Its Spec is the question resolved: what it
// leaves open is decided, what cannot be measured is refused, controls are
// added, the looks of a budget planned. A Session builds the images, boots every
// build once per round, and writes one sample per benchmark, domain and boot to
// the run directory as each boot ends. It works on any hv.Target and knows none,
// and it judges nothing: a run that stops when its rows are decided asks a Judge.
//
// Invariants: the schedule follows from the spec alone, so an interrupted run
// continues where it stopped; a boot that failed leaves its place in the
// schedule open and touches no other boot's samples; one machine runs at a
// time; a directory is claimed before anything is built for it.
//
// The order of the boots is a Williams design: each build stands in each place
// of a round equally often, and follows each other build equally often, so that
// neither drift nor what a boot leaves behind (a warm cache, a hot processor)
// falls on one build.
package experiment
