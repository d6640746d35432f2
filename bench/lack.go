package bench

import "fmt"

// LackError says that a benchmark cannot be measured where it is, and why: a
// device that is not there, too little memory, a file system without room, a
// program that must not be executed. A benchmark that finds such a thing while it is
// set up is skipped with that reason; it has not failed, and has no figure.
type LackError struct{ Reason string }

// Error is the reason.
func (e *LackError) Error() string { return e.Reason }

// Lack makes a LackError.
func Lack(format string, args ...any) error { return &LackError{fmt.Sprintf(format, args...)} }

// Explainer is an OS that can say why it has not a facility.
type Explainer interface {
	// WhyNot is the reason, "" if there is none to be told.
	WhyNot(Facility) string
}

// whyNot is the reason with what is before it, "" if there is none.
func whyNot(os OS, f Facility) string {
	if e, ok := os.(Explainer); ok {
		if why := e.WhyNot(f); why != "" {
			return ": " + why
		}
	}
	return ""
}

// Missing says that an operating system lacks a facility, and why if that is known.
func Missing(os OS, f Facility) string {
	return fmt.Sprintf("the operating system lacks %s%s", f, whyNot(os, f))
}
