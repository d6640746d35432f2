package results

import (
	"bytes"

	"xsmbench/bench"
)

// Nearly all results are written as programs write them: words of ASCII with
// blanks between them, a count of digits, and values of digits with perhaps a
// point. Those are read here, as there are many. benchfmt knows all that may stand
// in such a line, and reads the others.

// direct takes a line that is such a result, and tells whether it is.
func (p *parser) direct(line []byte) bool {
	if p.changed || p.sample.Idle < 0 || !bytes.HasPrefix(line, benchmarkPrefix) {
		return false
	}
	name, rest, ok := cutWord(line[len(benchmarkPrefix):])
	if !ok {
		return false
	}
	word, rest, ok := cutWord(rest)
	count, whole := decimal(word)
	if !ok || !whole || count != float64(int64(count)) || bytes.IndexByte(word, '.') >= 0 {
		return false
	}
	p.values = p.values[:0]
	for len(rest) > 0 {
		var number, unit []byte
		if number, rest, ok = cutWord(rest); !ok {
			return false
		}
		if unit, rest, ok = cutWord(rest); !ok {
			return false
		}
		value, ok := decimal(number)
		if !ok {
			return false
		}
		p.values = append(p.values, written{value, unit})
	}
	if len(p.values) == 0 {
		return false
	}
	p.flush()
	p.begin(name, int64(count))
	for _, v := range p.values {
		p.sample.Values = append(p.sample.Values, bench.Value{Value: v.value, Unit: p.unit(v.unit)})
	}
	p.take()
	return true
}

// unit keeps one copy of each unit. It mostly is the one that the sample before
// had in the same place.
func (p *parser) unit(u []byte) string {
	if before := p.sample.Values; len(before) < cap(before) {
		if s := before[:len(before)+1][len(before)].Unit; s == string(u) {
			return s
		}
	}
	return p.word(u)
}

// directWindows takes a line of windows that are such numbers, and tells whether
// it is one.
func (p *parser) directWindows(line []byte) bool {
	text, ok := bytes.CutPrefix(line, windowsPrefix)
	if !ok || !areDecimals(text) {
		return false
	}
	if p.pending && p.current != nil {
		p.windows.text = append(append(p.windows.text, text...), ' ')
	}
	return true
}

// written is a value as it stands in a line.
type written struct {
	value float64
	unit  []byte
}

// cutWord cuts a word and the blanks behind it off a text. It is false of an empty
// word, and of what is no ASCII.
func cutWord(text []byte) (word, rest []byte, ok bool) {
	i := 0
	for i < len(text) && text[i] > ' ' && text[i] < 0x7f {
		i++
	}
	j := i
	for j < len(text) && (text[j] == ' ' || text[j] == '\t') {
		j++
	}
	return text[:i], text[j:], i > 0 && (j > i || j == len(text))
}

// mostDigits is how many digits every whole number has that float64 holds
// exactly.
const mostDigits = 15

var powersOfTen = [mostDigits + 1]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// decimal reads a number of few digits and perhaps a point. Its digits and the
// power of ten below them are exact, so that their quotient is the float64 that
// is nearest to it (Clinger, PLDI 1990), as strconv.ParseFloat has it.
func decimal(word []byte) (v float64, ok bool) {
	var whole int64
	digits, places, point := 0, 0, false
	for _, c := range word {
		switch {
		case c-'0' < 10:
			whole = 10*whole + int64(c-'0')
			digits++
			if point {
				places++
			}
		case c == '.' && !point:
			point = true
		default:
			return 0, false
		}
	}
	if digits == 0 || digits > mostDigits {
		return 0, false
	}
	return float64(whole) / powersOfTen[places], true
}
