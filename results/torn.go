package results

import (
	"bytes"
	"os"
	"unicode/utf8"
)

// mendTail gives a last line that was cut off its line feed, and marks it, so
// that what is appended starts on a line of its own and half a number is never
// read as a whole one.
func mendTail(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	start := bytes.LastIndexByte(text, '\n') + 1
	if start == len(text) {
		return nil
	}
	mended := "# torn: " + describeTorn(text[start:]) + "\n"
	if _, err := f.WriteAt([]byte(mended), int64(start)); err != nil {
		return err
	}
	if err := f.Truncate(int64(start + len(mended))); err != nil {
		return err
	}
	return f.Sync()
}

// mostTorn is how much of a torn line is kept: more is no line of ours.
const mostTorn = 4 << 10

// describeTorn is what the mended line shows of the torn one. A loss of power
// may leave any number of zeros at a file's end.
func describeTorn(text []byte) string {
	text = bytes.TrimRight(text, "\x00")
	if len(text) > mostTorn || !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		return quote(text)
	}
	return oneLine(string(text))
}
