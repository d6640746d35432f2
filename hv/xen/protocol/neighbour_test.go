package protocol

import (
	"testing"

	"xsmbench/bench"
)

func TestNeighbourAnswer(t *testing.T) {
	for _, want := range []NeighbourAnswer{
		{}, {Done: bench.Done{Tasks: 7, Bytes: 1 << 40}}, {Lacks: "there is no disk"}, {Error: "a \"word\"\n"},
	} {
		text := want.Encode()
		if got, err := DecodeAnswer(text); err != nil || got != want || text == "" {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	if _, err := DecodeAnswer("runs"); err == nil {
		t.Error("anything is an answer")
	}
}
