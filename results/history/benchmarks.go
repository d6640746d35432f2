package history

import (
	"encoding/json"
	"strings"
)

// benchmarkList is the list of benchmarks of a run's record. It is most of the record,
// and most runs have the same: then it is not decoded again, and there is one copy.
type benchmarkList struct {
	text  string // as it stands in the record; "" if nothing is known
	names []string
}

// benchmarksKey begins the list in a record. No text in quotes has it, where quotes are
// escaped, and no other object of a record has such a member.
const benchmarksKey = `"benchmarks":[`

// decode decodes a record, and keeps its list for the next one.
func (l *benchmarkList) decode(record string, run *Run) error {
	at := strings.Index(record, benchmarksKey)
	if l.text != "" && at >= 0 && strings.HasPrefix(record[at:], l.text) {
		without := make([]byte, 0, len(record)-len(l.text)+len(noBenchmarks))
		without = append(append(append(without, record[:at]...), noBenchmarks...), record[at+len(l.text):]...)
		err := json.Unmarshal(without, run)
		run.Run.Spec.Benchmarks = l.names
		return err
	}
	if err := json.Unmarshal([]byte(record), run); err != nil {
		return err
	}
	return l.keep(run.Run.Spec.Benchmarks)
}

// noBenchmarks stands for a list that is known.
const noBenchmarks = `"benchmarks":null`

// keep remembers a list, written as records are.
func (l *benchmarkList) keep(names []string) error {
	text, err := json.Marshal(names)
	if err != nil {
		return err
	}
	*l = benchmarkList{names: names}
	if len(names) > 0 {
		l.text = strings.TrimSuffix(benchmarksKey, "[") + string(text)
	}
	return nil
}
