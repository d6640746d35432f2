package csource

import (
	"fmt"
	"strings"
)

// writer writes a file, line by line.
type writer struct{ text []byte }

func (w *writer) line(format string, args ...any) {
	w.text = fmt.Appendf(w.text, format, args...)
	w.text = append(w.text, '\n')
}

// begin and end guard a header against being included twice.
func (w *writer) begin(name, what string) {
	w.line("/* %s */", what)
	w.line("#ifndef KB_%s_H", upper(name))
	w.line("#define KB_%s_H", upper(name))
	w.line("")
}

func (w *writer) end(name string) { w.line("#endif /* KB_%s_H */", upper(name)) }

func upper(s string) string { return strings.ToUpper(s) }

// flat is a path as a part of a name.
func flat(dir string) string { return strings.ReplaceAll(dir, "/", "_") }
