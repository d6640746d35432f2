// Package series measures one revision of a repository after another, each as a
// run of package experiment. Measure goes through a range and leaves out what has
// the image of another revision; Bisect looks for the one that changed a count,
// and lets git bisect choose.
//
// Both keep a folder: a run directory for each revision that was measured, and
// series.json, which says what became of each. It is written after each of them, so
// that a series that was interrupted goes on where it was. The folder belongs to
// one question: what is measured, and how; not of which revisions.
//
// A revision that does not build or boot is no error of the series: it is written
// down with the reason. What may be the machine's fault is tried again the next
// time, and ends the series if it happens several times in a row.
package series
