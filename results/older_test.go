package results

import (
	"encoding/json"
	"testing"
)

// A policy's hash was a word of the configuration once.
func TestOlderPolicy(t *testing.T) {
	for _, tt := range []struct{ text, config, policy string }{
		{`{"build":{"name":"flask","policy":"my.policy"},"config":"xsm,flask policy=0123"}`, "xsm,flask", "0123"},
		{`{"build":{"name":"flask","policy":"my.policy"},"config":"xsm,flask","policy":"0123"}`, "xsm,flask", "0123"},
		{`{"build":{"name":"flask"},"config":"xsm,flask policy=x"}`, "xsm,flask policy=x", ""},
	} {
		var run Run
		if err := json.Unmarshal([]byte(`{"schema":1,"images":[`+tt.text+`]}`), &run); err != nil {
			t.Fatal(err)
		}
		if img := run.Images[0]; run.Schema != 1 || img.Config != tt.config || img.Policy != tt.policy {
			t.Errorf("%s: configuration %q, policy %q", tt.text, img.Config, img.Policy)
		}
	}
}
