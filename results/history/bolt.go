package history

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"

	"go.etcd.io/bbolt"
)

// Stores of before SQLite are bbolt databases:
//
//	meta     schema            1
//	runs     ID                gzip JSON of Run
//	files    ID/NAME           gzip of the run directory's own file, byte for byte
//	samples  HOST 0 IMAGE 0 ID gzip JSON of []Series: what the run's boots of that image gave
const boltSchema = 1

// readBolt calls take for each run of such a store. bbolt trusts what it maps
// into memory: damage may end in a panic or a fault, which become an error here.
func readBolt(path string, take func(*record) error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v: %w", r, errContent)
		}
	}()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("%w: %w", err, errContent)
	}
	defer db.Close()
	return db.View(func(tx *bbolt.Tx) error {
		if key, _ := tx.Cursor().First(); key == nil {
			return nil // its first writer died before it made what a store has
		}
		s, err := openBolt(tx, path)
		if err != nil {
			return err
		}
		return s.runs.ForEach(func(id, value []byte) error {
			r, err := s.record(string(id), value)
			if err != nil {
				return fmt.Errorf("run %s: %w: %w", id, err, errContent)
			}
			return take(r)
		})
	})
}

// bolt is what a bbolt store holds.
type bolt struct{ runs, files, samples *bbolt.Bucket }

func openBolt(tx *bbolt.Tx, path string) (*bolt, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() < tx.Size() {
		return nil, fmt.Errorf("%d bytes of %d are there: %w", info.Size(), tx.Size(), errContent)
	}
	s := &bolt{tx.Bucket([]byte("runs")), tx.Bucket([]byte("files")), tx.Bucket([]byte("samples"))}
	meta := tx.Bucket([]byte("meta"))
	if meta == nil || s.runs == nil || s.files == nil || s.samples == nil {
		return nil, fmt.Errorf("a bucket is missing: %w", errContent)
	}
	if schema := string(meta.Get([]byte("schema"))); schema != strconv.Itoa(boltSchema) {
		return nil, fmt.Errorf("schema %q: %w", schema, errContent)
	}
	return s, nil
}

func (s *bolt) record(id string, value []byte) (*record, error) {
	r := &record{files: map[string][]byte{}, images: map[string][]Series{}}
	if err := unpackJSON(value, &r.run); err != nil {
		return nil, err
	}
	if r.run.ID != id {
		return nil, fmt.Errorf("it calls itself %s", r.run.ID)
	}
	for _, name := range r.run.Files {
		text, err := unpack(s.files.Get([]byte(id + "/" + name)))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		r.files[name] = text
	}
	if r.content() != r.run.Content {
		return nil, errors.New("its files are not those that were added")
	}
	for _, image := range r.run.Images {
		var series []Series
		if err := unpackJSON(s.samples.Get([]byte(r.run.Host+"\x00"+image+"\x00"+id)), &series); err != nil {
			return nil, fmt.Errorf("samples of image %s: %w", image, err)
		}
		r.images[image] = series
	}
	return r, nil
}

func unpackJSON(value []byte, v any) error {
	text, err := unpack(value)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}
