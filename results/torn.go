package results

import (
	"bytes"
	"fmt"
	"os"
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
	mended := fmt.Sprintf("# torn: %s\n", oneLine(string(text[start:])))
	if _, err := f.WriteAt([]byte(mended), int64(start)); err != nil {
		return err
	}
	if err := f.Truncate(int64(start + len(mended))); err != nil {
		return err
	}
	return f.Sync()
}
