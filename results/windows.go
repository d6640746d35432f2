package results

import (
	"bytes"
	"strconv"
)

// windows are the windows of a sample as they stand in the file. There are
// some ten for each sample, and who compares many samples needs few of them.
type windows struct {
	text   []byte // words that are numbers
	values []float64
}

// addWindows takes the windows of the sample above the line.
func (p *parser) addWindows(line int, rest []byte) {
	if !p.pending || p.current == nil {
		return
	}
	for len(rest) > 0 {
		word, after, _ := bytes.Cut(rest, []byte(" "))
		rest = after
		if !isDecimal(word) {
			p.addOther(line, word)
			continue
		}
		p.windows.text = append(append(p.windows.text, word...), ' ')
	}
}

// addOther takes what is no plain decimal: perhaps an exponent, other space, or
// no number at all.
func (p *parser) addOther(line int, words []byte) {
	for word := range bytes.FieldsSeq(words) {
		if _, err := strconv.ParseFloat(string(word), 64); err != nil {
			p.problem(line, "window %s is no number", quote(word))
			continue
		}
		p.windows.text = append(append(p.windows.text, word...), ' ')
	}
}

// isDecimal tells whether a word is digits with perhaps a point between them,
// as most windows are: strconv.ParseFloat takes all of these.
func isDecimal(word []byte) bool {
	point := false
	for i, c := range word {
		switch {
		case c >= '0' && c <= '9':
		case c == '.' && !point && i > 0:
			point = true
		default:
			return false
		}
	}
	return len(word) > 0 && len(word) < 300 // larger numbers may be beyond float64
}

// parse gives the windows. The next sample's overwrite them.
func (w *windows) parse() []float64 {
	w.values = w.values[:0]
	for word := range bytes.FieldsSeq(w.text) {
		v, _ := strconv.ParseFloat(string(word), 64) // it was checked
		w.values = append(w.values, v)
	}
	return w.values
}
