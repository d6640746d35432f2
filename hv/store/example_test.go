package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"xsmbench/hv/store"
)

var greetings = store.Register(store.Kind{Name: "greetings", Doc: "words for visitors", Bound: 1 << 20})

func Example() {
	dir, err := os.MkdirTemp("", "store")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	s, err := store.Open(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		e, err := s.Get(context.Background(), greetings, store.KeyOf("greeting", "en"), store.Recipe{
			What: "the English greeting",
			Make: func(_ context.Context, dir string) error {
				return os.WriteFile(filepath.Join(dir, "text"), []byte("Hello."), 0o644)
			},
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		text, err := os.ReadFile(e.Path("text"))
		fmt.Println(e.Made, string(text), err)
		e.Release()
	}
	// Output:
	// true Hello. <nil>
	// false Hello. <nil>
}
