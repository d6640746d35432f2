package experiment

import (
	"fmt"
	"strings"
)

// Field is a part of a Question or of a Continuation.
type Field string

// Fields that a FieldError may be about.
const (
	FieldTarget      Field = "Target"
	FieldArch        Field = "Arch"
	FieldBuilds      Field = "Builds"
	FieldSource      Field = "Source"
	FieldPolicy      Field = "Policy"
	FieldLabel       Field = "Label"
	FieldUnknown     Field = "Unknown"
	FieldOptions     Field = "Options"
	FieldKconfig     Field = "Kconfig"
	FieldRelease     Field = "Packages.Source"
	FieldGuests      Field = "Packages.Guests"
	FieldArchive     Field = "Packages.Archive"
	FieldToolstack   Field = "Packages.Toolstack"
	FieldBase        Field = "Base"
	FieldDomains     Field = "Domains"
	FieldBenchmarks  Field = "Benchmarks"
	FieldRounds      Field = "Rounds"
	FieldTime        Field = "Budget.Time"
	FieldMostRounds  Field = "Budget.MostRounds"
	FieldLayouts     Field = "Layouts"
	FieldEnoughUS    Field = "EnoughUS"
	FieldRepetitions Field = "Repetitions"
	FieldWitness     Field = "Witness"
	FieldAccel       Field = "Accel"
	FieldDomU        Field = "DomU"
	FieldIdle        Field = "Idle"
	FieldCPUs        Field = "CPUs"
	FieldWorkload    Field = "Workload"
	FieldTimeout     Field = "Timeout"
	FieldShard       Field = "Shard"
	FieldCosts       Field = "Shard.Costs"
)

// FieldError is a question that cannot be asked because of what stands in some
// of its fields.
type FieldError struct {
	Fields []Field
	Value  string // what stands there, "" if that says nothing
	// Text says what is wrong with it; other fields stand in braces in it, as
	// {Rounds}.
	Text string
	// Known are what might stand there instead, nil if that is not a matter of
	// a few words.
	Known []string
}

// refuse is a FieldError of one field.
func refuse(f Field, value any, format string, args ...any) *FieldError {
	return &FieldError{Fields: []Field{f}, Value: fmt.Sprint(value), Text: fmt.Sprintf(format, args...)}
}

// among adds what is known to an error.
func (e *FieldError) among(known []string) *FieldError {
	e.Known = known
	return e
}

// Error names the fields as Question does.
func (e *FieldError) Error() string {
	return e.With(func(f Field) string { return string(f) }) + knownWords(e.Known)
}

// With is the error without the words that are known, where the caller has
// names of its own for the fields.
func (e *FieldError) With(name func(Field) string) string {
	var names []string
	for _, f := range e.Fields {
		names = append(names, name(f))
	}
	head := strings.Join(names, ", ")
	if e.Value != "" {
		head += " " + e.Value
	}
	text := e.Text
	for _, f := range []Field{FieldTarget, FieldRounds, FieldTime, FieldMostRounds, FieldAccel} {
		text = strings.ReplaceAll(text, "{"+string(f)+"}", name(f))
	}
	return head + ": " + text
}

// UnknownError is a word that is none of those that are known.
type UnknownError struct {
	What  string // "target", "domain"
	Word  string
	Of    string // whose it is not, "" if that is clear
	Known []string
}

// Error names the word and those that are known.
func (e *UnknownError) Error() string { return e.Plain() + knownWords(e.Known) }

// Plain is the error without the words that are known.
func (e *UnknownError) Plain() string {
	text := fmt.Sprintf("unknown %s %q", e.What, e.Word)
	if e.Of != "" {
		text += " of " + e.Of
	}
	return text
}

func knownWords(known []string) string {
	if known == nil {
		return ""
	}
	return " (known: " + strings.Join(known, ", ") + ")"
}
