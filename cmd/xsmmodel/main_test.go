package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"xsmmodel": main})
}

// built is what this test is linked to be.
var built = func() kind {
	k, err := linkedKind()
	if err != nil {
		panic(err)
	}
	return k
}()

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Condition: func(c string) (bool, error) {
			return c == built.name, nil
		},
	})
}
