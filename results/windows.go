package results

import (
	"bytes"
	"strconv"
)

// windowText is the windows of a sample as they stand in the file. There are
// some ten for each sample, and who compares many samples needs few of them.
type windowText struct {
	text   []byte // words that are numbers
	values []float64
}

// addWindows takes the windows of the sample above the line.
func (p *parser) addWindows(line int, rest []byte) {
	if !p.pending || p.current == nil {
		return
	}
	for word := range bytes.FieldsSeq(rest) {
		if _, err := strconv.ParseFloat(string(word), 64); err != nil {
			p.problem(line, "window %s is not a number", quote(word))
			continue
		}
		p.windows.text = append(append(p.windows.text, word...), ' ')
	}
}

// areDecimals tells whether a text is numbers of digits with perhaps a point
// between them, and spaces, as windows mostly are. strconv.ParseFloat takes all
// of these.
func areDecimals(text []byte) bool {
	if len(text) > 300 && longest(text) > 300 { // float64 may not hold it
		return false
	}
	for i := 0; i < len(text); i++ {
		begun := i
		i = afterDigits(text, i)
		if i > begun && i < len(text) && text[i] == '.' {
			i = afterDigits(text, i+1)
		}
		if i < len(text) && text[i] != ' ' {
			return false
		}
	}
	return true
}

// afterDigits is the place behind the digits that stand at i.
func afterDigits(text []byte, i int) int {
	for i < len(text) && text[i]-'0' < 10 {
		i++
	}
	return i
}

// longest is the length of the longest word.
func longest(text []byte) int {
	most := 0
	for word := range bytes.FieldsSeq(text) {
		most = max(most, len(word))
	}
	return most
}

// parse gives the windows. The next sample's overwrite them.
func (w *windowText) parse() []float64 {
	w.values = w.values[:0]
	for word := range bytes.FieldsSeq(w.text) {
		v, _ := strconv.ParseFloat(string(word), 64) // it was checked
		w.values = append(w.values, v)
	}
	return w.values
}
