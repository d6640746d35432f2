package history

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"math"
	"slices"
)

// A sheet is what one image of a run gave, in two parts. The outline names the
// figures; most runs have the same, and share it. The data are numbers:
//
//	lists of boots  their number, and of each the number of its boots, and of each
//	                of those its number, round and layout
//	figures         of each in the order of the outline the number of its list, and a
//	                value for each boot of that: eight bytes, the lowest first
//	remarks         the number of figures that have any, and of each its place, the
//	                number of its remarks, and of each its length and text
//
// Numbers without a length of their own are varints.
type sheet struct {
	image   string
	outline []byte // digest
	data    []byte
}

// outlineOf names the figures of series.
func outlineOf(all []Series) (digest []byte, figures string, err error) {
	names := slices.Clone(all)
	for i := range names {
		names[i].Boots, names[i].Remarks = nil, nil
	}
	text, err := json.Marshal(names)
	sum := sha256.Sum256(text)
	return sum[:], string(text), err
}

// spot is where a boot stands in its run.
type spot struct{ boot, round, layout int }

// dataOf packs the numbers of series.
func dataOf(all []Series) []byte {
	var lists [][]spot
	of := make([]int, len(all))
	for i, s := range all {
		list := spotsOf(s)
		// Nearly always all have the same.
		if of[i] = slices.IndexFunc(lists, func(l []spot) bool { return slices.Equal(l, list) }); of[i] < 0 {
			of[i] = len(lists)
			lists = append(lists, list)
		}
	}
	data := binary.AppendUvarint(nil, uint64(len(lists)))
	for _, list := range lists {
		data = binary.AppendUvarint(data, uint64(len(list)))
		for _, s := range list {
			data = binary.AppendVarint(binary.AppendVarint(binary.AppendVarint(data, int64(s.boot)), int64(s.round)), int64(s.layout))
		}
	}
	for i, s := range all {
		data = binary.AppendUvarint(data, uint64(of[i]))
		for _, b := range s.Boots {
			data = binary.LittleEndian.AppendUint64(data, math.Float64bits(b.Value))
		}
	}
	return appendRemarks(data, all)
}

func spotsOf(s Series) []spot {
	list := make([]spot, len(s.Boots))
	for i, b := range s.Boots {
		list[i] = spot{b.Boot, b.Round, b.Layout}
	}
	return list
}

func appendRemarks(data []byte, all []Series) []byte {
	n := 0
	for _, s := range all {
		if len(s.Remarks) > 0 {
			n++
		}
	}
	data = binary.AppendUvarint(data, uint64(n))
	for i, s := range all {
		if len(s.Remarks) == 0 {
			continue
		}
		data = binary.AppendUvarint(binary.AppendUvarint(data, uint64(i)), uint64(len(s.Remarks)))
		for _, text := range s.Remarks {
			data = append(binary.AppendUvarint(data, uint64(len(text))), text...)
		}
	}
	return data
}

// unpackSheet gives the figures that an outline names their numbers back.
func unpackSheet(figures []Series, image string, data []byte) ([]Series, error) {
	r := numbers{data: data}
	lists := make([][]spot, r.count(1))
	for i := range lists {
		lists[i] = make([]spot, r.count(3))
		for k := range lists[i] {
			lists[i][k] = spot{r.int(), r.int(), r.int()}
		}
	}
	all := slices.Clone(figures)
	boots := make([]Boot, 0, len(r.data)/8)
	for i := range all {
		list := r.uvarint()
		if list >= uint64(len(lists)) {
			return nil, errContent
		}
		from := len(boots)
		for _, s := range lists[list] {
			boots = append(boots, Boot{s.boot, s.round, s.layout, image, r.value()})
		}
		all[i].Boots = boots[from:len(boots):len(boots)]
		if r.failed {
			return nil, errContent
		}
	}
	r.remarks(all)
	if r.failed || len(r.data) > 0 {
		return nil, errContent
	}
	return all, nil
}

// numbers reads packed data; what is read after its end is 0.
type numbers struct {
	data   []byte
	failed bool
}

func (r *numbers) uvarint() uint64 {
	v, n := binary.Uvarint(r.data)
	if n <= 0 {
		r.failed, r.data = true, nil
		return 0
	}
	r.data = r.data[n:]
	return v
}

func (r *numbers) int() int {
	v, n := binary.Varint(r.data)
	if n <= 0 {
		r.failed, r.data = true, nil
		return 0
	}
	r.data = r.data[n:]
	return int(v)
}

// count is how many things follow, of which each takes at least so many bytes.
func (r *numbers) count(least int) int {
	n := r.uvarint()
	if n > uint64(len(r.data)/least) {
		r.failed, r.data = true, nil
		return 0
	}
	return int(n)
}

func (r *numbers) value() float64 {
	if len(r.data) < 8 {
		r.failed, r.data = true, nil
		return 0
	}
	v := math.Float64frombits(binary.LittleEndian.Uint64(r.data))
	r.data = r.data[8:]
	return v
}

func (r *numbers) text() string {
	n := r.count(1)
	text := string(r.data[:n])
	r.data = r.data[n:]
	return text
}

func (r *numbers) remarks(all []Series) {
	for range r.count(2) {
		i, n := r.uvarint(), r.count(1)
		if i >= uint64(len(all)) {
			r.failed = true
			return
		}
		for range n {
			all[i].Remarks = append(all[i].Remarks, r.text())
		}
	}
}

// sheetSum hashes sheets one after the other: the digest of a run is that of its own.
type sheetSum struct{ hash.Hash }

func newSheetSum() sheetSum { return sheetSum{sha256.New()} }

func (h sheetSum) add(s sheet) {
	for _, part := range [][]byte{[]byte(s.image), s.outline, s.data} {
		h.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(part))))
		h.Write(part)
	}
}

// sheetsOf packs what a run measured: series of one image after those of another.
func sheetsOf(all []Series) (sheets []sheet, outlines []string, sum []byte, err error) {
	h := newSheetSum()
	for len(all) > 0 {
		image := all[0].Boots[0].Image
		n := slices.IndexFunc(all, func(s Series) bool { return s.Boots[0].Image != image })
		if n < 0 {
			n = len(all)
		}
		digest, figures, err := outlineOf(all[:n])
		if err != nil {
			return nil, nil, nil, err
		}
		s := sheet{image, digest, dataOf(all[:n])}
		h.add(s)
		sheets, outlines, all = append(sheets, s), append(outlines, figures), all[n:]
	}
	return sheets, outlines, h.Sum(nil), nil
}

// putSheets stores a run's sheets.
func putSheets(tx *sql.Tx, run string, sheets []sheet, outlines []string) error {
	for i, s := range sheets {
		if _, err := tx.Exec("INSERT OR IGNORE INTO outlines VALUES (?, ?)", s.outline, outlines[i]); err != nil {
			return err
		}
		if _, err := insert(tx, "sheets", run, i, s.image, s.outline, s.data); err != nil {
			return err
		}
	}
	return nil
}

// sheetReader reads runs' sheets, each outline once.
type sheetReader struct {
	sheets, digest, outline *sql.Stmt
	outlines                map[string][]Series
}

func newSheetReader(tx *sql.Tx) (r *sheetReader, err error) {
	r = &sheetReader{outlines: map[string][]Series{}}
	for _, q := range []struct {
		to    **sql.Stmt
		query string
	}{
		{&r.sheets, "SELECT image, outline, data FROM sheets WHERE run = ? ORDER BY place"},
		{&r.digest, "SELECT digest FROM runs WHERE id = ?"},
		{&r.outline, "SELECT figures FROM outlines WHERE digest = ?"},
	} {
		if *q.to, err = tx.Prepare(q.query); err != nil {
			return nil, errors.Join(err, r.close())
		}
	}
	return r, nil
}

func (r *sheetReader) close() (err error) {
	for _, s := range []*sql.Stmt{r.sheets, r.digest, r.outline} {
		if s != nil {
			err = errors.Join(err, s.Close())
		}
	}
	return err
}

// storedSheets are a run's sheets as they were read, with the figures of each.
type storedSheets struct {
	all     []sheet
	figures [][]Series
	want    []byte // their hash, as it was written
}

// read reads a run's sheets. They are to be unpacked.
func (r *sheetReader) read(run string) (stored, error) {
	var s storedSheets
	err := eachOf(r.sheets, []any{run}, func(row row) error {
		var x sheet
		if err := row.scan(&x.image, &x.outline, &x.data); err != nil {
			return err
		}
		s.all = append(s.all, x)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, x := range s.all {
		figures, err := r.figures(x.outline)
		if err != nil {
			return nil, err
		}
		s.figures = append(s.figures, figures)
	}
	if err := r.digest.QueryRow(run).Scan(&s.want); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	return s, nil
}

// figures are those that an outline names.
func (r *sheetReader) figures(digest []byte) ([]Series, error) {
	if all, ok := r.outlines[string(digest)]; ok {
		return all, nil
	}
	var text string
	if err := r.outline.QueryRow(digest).Scan(&text); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	var all []Series
	if sum := sha256.Sum256([]byte(text)); !bytes.Equal(sum[:], digest) {
		return nil, fmt.Errorf("an outline: %w", errContent)
	}
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		return nil, fmt.Errorf("an outline: %v: %w", err, errContent)
	}
	r.outlines[string(digest)] = all
	return all, nil
}

// series checks that the sheets are those that were written, and unpacks them.
func (s storedSheets) series() ([]Series, error) {
	h := newSheetSum()
	for _, x := range s.all {
		h.add(x)
	}
	if !bytes.Equal(h.Sum(nil), s.want) {
		return nil, errContent
	}
	var all []Series
	for i, x := range s.all {
		some, err := unpackSheet(s.figures[i], x.image, x.data)
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = some // most runs of one build have one image
		} else {
			all = append(all, some...)
		}
	}
	return all, nil
}
