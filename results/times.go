package results

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// timesFile has a line of JSON for each build and each boot: how long it took. It is
// the one file of a run of which nothing is a result.
const timesFile = "times.jsonl"

// Took is how long a build or a boot took.
type Took struct {
	What   Work   `json:"what"`
	Build  string `json:"build"`
	Kind   string `json:"kind"`
	Arch   string `json:"arch"`
	Layout int    `json:"layout"`
	// Cached says of a build that it was there.
	Cached bool `json:"cached,omitempty"`
	// Time is how long it was under way. Builds, and boots that are counted,
	// overlap: together they take longer than the run. A build's begins with the
	// first one's, and ends when its image can boot.
	Time time.Duration `json:"time_ns"`
	// Turn is by how much it made the run longer: from the end of the one before
	// to its own, or its share of the machine if it had begun ahead of its turn.
	Turn    time.Duration `json:"turn_ns"`
	Round   int           `json:"round,omitempty"`
	Samples int           `json:"samples,omitempty"`
	// Shard is the one that did it, in a run that was merged: "3/8".
	Shard string `json:"shard,omitempty"`
}

// Work is what took a time.
type Work string

// What a run does.
const (
	Building Work = "build"
	Booting  Work = "boot"
)

// RecordTime appends how long something took. It is not brought to the disk at
// once: a run without these lines lacks no result.
func (d *Dir) RecordTime(all ...Took) error {
	if len(all) == 0 {
		return nil
	}
	var b bytes.Buffer
	for _, t := range all {
		if err := json.NewEncoder(&b).Encode(t); err != nil {
			return fmt.Errorf("record time: %w", err)
		}
	}
	// A link would have the file that it names written to.
	f, err := os.OpenFile(filepath.Join(d.path, timesFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND|syscall.O_NOFOLLOW, 0o666)
	if err != nil {
		return fmt.Errorf("record time: %w", err)
	}
	_, err = f.Write(b.Bytes())
	return errors.Join(err, f.Close())
}

// ReadTimes gives what a run took, line by line. A run of before it was recorded
// gives nothing, and a line that is damaged, as the last one of a run that was
// killed, is passed over.
func ReadTimes(dir string, take func(Took) error) error {
	t, err := openTree(dir)
	if err != nil {
		return fmt.Errorf("read times: %w", err)
	}
	defer t.Close()
	if _, err := t.root.Lstat(timesFile); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	f, err := t.open(timesFile)
	if err != nil {
		return fmt.Errorf("read times: %s: %w", shown(t.place(timesFile)), err)
	}
	defer f.Close()
	return decodeTimes(f, take)
}

// longestTime bounds a line of times, in bytes.
const longestTime = 64 << 10

func decodeTimes(r io.Reader, take func(Took) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 4<<10), longestTime)
	for lines.Scan() {
		var t Took
		if json.Unmarshal(lines.Bytes(), &t) != nil || t.What != Building && t.What != Booting || t.Time < 0 || t.Turn < 0 || t.Samples < 0 {
			continue
		}
		if err := take(t); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil && !errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("read times: %w", err)
	}
	return nil
}
