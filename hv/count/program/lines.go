package program

import (
	"cmp"
	"debug/dwarf"
	"errors"
	"io"
	"slices"
)

// lines are the numbers of source lines by address.
type lines []lineRow

type lineRow struct {
	at   uint64
	line int // 0 at the end of a sequence
}

func linesOf(data *dwarf.Data) (lines, error) {
	var all lines
	for r := data.Reader(); ; {
		unit, err := r.Next()
		if err != nil {
			return nil, err
		}
		if unit == nil {
			break
		}
		r.SkipChildren()
		if all, err = all.add(data, unit); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(all, func(a, b lineRow) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.line, b.line)) })
	return slices.Compact(all), nil
}

func (l lines) add(data *dwarf.Data, unit *dwarf.Entry) (lines, error) {
	r, err := data.LineReader(unit)
	if r == nil || err != nil {
		return l, err
	}
	var e dwarf.LineEntry
	for {
		switch err := r.Next(&e); {
		case errors.Is(err, io.EOF):
			return l, nil
		case err != nil:
			return l, err
		case e.EndSequence:
			l = append(l, lineRow{at: e.Address})
		default:
			l = append(l, lineRow{e.Address, e.Line})
		}
	}
}

// at are the lines that an instruction may be from: those of the last address at or
// before it that has any.
func (l lines) at(at uint64) []int {
	end, _ := slices.BinarySearchFunc(l, at+1, func(r lineRow, at uint64) int { return cmp.Compare(r.at, at) })
	var found []int
	for i := end - 1; i >= 0 && l[i].at == l[end-1].at; i-- {
		if l[i].line > 0 {
			found = append(found, l[i].line)
		}
	}
	return found
}
