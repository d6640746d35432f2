package protocol

import (
	"encoding/json"
	"fmt"

	"xsmbench/bench"
)

// NeighbourTask is what a domain is to do while the other one measures.
type NeighbourTask string

// What a neighbour may be ordered to do.
const (
	NeighbourStart NeighbourTask = "start" // the plan's workload: of its benchmark, if it has one
	NeighbourTell  NeighbourTask = "tell"  // how much it did
	NeighbourStop  NeighbourTask = "stop"
)

// NeighbourAnswer is what it answers.
type NeighbourAnswer struct {
	bench.Done
	// Lacks is what the domain has not for the workload, Error what went wrong.
	Lacks string `json:"lacks,omitempty"`
	Error string `json:"error,omitempty"`
}

// Encode packs an answer into a string that is not empty.
func (a NeighbourAnswer) Encode() string {
	text, err := json.Marshal(a)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	return string(text)
}

// DecodeAnswer unpacks an answer.
func DecodeAnswer(s string) (a NeighbourAnswer, err error) {
	if err := json.Unmarshal([]byte(s), &a); err != nil {
		return a, fmt.Errorf("decode a neighbour's answer: %w", err)
	}
	return a, nil
}
