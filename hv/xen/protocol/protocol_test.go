package protocol

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xsmbench/bench"
	_ "xsmbench/bench/kbench"
	_ "xsmbench/bench/lmbench"
	"xsmbench/hv/count/mark"
	"xsmbench/hv/xen/domain/xenstore"
	_ "xsmbench/workloads/kernbench"
)

func order() Order {
	return Order{
		Plan: bench.Plan{
			Domains: []string{"dom0", "domU"}, Benchmarks: []string{"Lmbench/lat_pipe", "Kbench/hypercall/op=xen_version"},
			Options: bench.Options{Windows: 21}, Workload: "idle",
		},
		Delay: 1377 * time.Microsecond, Build: "flask",
	}
}

func TestOrder(t *testing.T) {
	for _, want := range []Order{{}, {Snapshot: true}, order()} {
		text, err := want.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := want.Encode(); again != text {
			t.Error("two encodings of an order differ: snapshots are found by it")
		}
		if strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") != "" {
			t.Errorf("%q needs quoting on a command line", text)
		}
		got, err := Decode(text)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	}
}

// packed encodes any text as an order is.
func packed(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(text))
	z.Close()
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func TestDecodeDamaged(t *testing.T) {
	good, err := order().Encode()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, text string }{
		{"nothing", ""},
		{"no base64", "?" + good},
		{"no gzip", base64.StdEncoding.EncodeToString([]byte("plain"))},
		{"cut off", good[:len(good)/2/4*4]},
		{"its checksum is missing", good[:len(good)-12]},
		{"no JSON", packed("order")},
		{"other JSON", packed(`{"plan": 1}`)},
		{"endless", packed(`{"build": "` + strings.Repeat("x", 2*mostOrder) + `"}`)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if o, err := Decode(tt.text); err == nil || !strings.Contains(err.Error(), "decode order") {
				t.Errorf("decoded %+v, error %v", o, err)
			}
		})
	}
}

// TestLongestOrderFits checks that dom0 can pass the longest order on, and
// that it fits into an argument of QEMU's.
func TestLongestOrderFits(t *testing.T) {
	var names []string
	for _, b := range bench.All() {
		names = append(names, b.FullName())
	}
	if len(names) > mark.MostBenchmarks {
		t.Logf("%d benchmarks are registered, %d fit into the marks", len(names), mark.MostBenchmarks)
		names = names[:mark.MostBenchmarks]
	}
	o := order()
	o.Plan.Benchmarks = names
	text, err := o.Encode()
	if err != nil {
		t.Fatal(err)
	}
	path := fmt.Sprintf("/local/domain/%d/%s\x00", 32751, StoreOrder)
	if n := len(path) + len(text); n > xenstore.MaxPayload {
		t.Errorf("an order of %d benchmarks takes %d bytes, a message of xenstore holds %d", len(names), n, xenstore.MaxPayload)
	}
}

func FuzzDecode(f *testing.F) {
	text, err := order().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(packed(`{"delay": -1, "plan": {"benchmarks": [""]}}`))
	f.Add("H4sI")
	f.Fuzz(func(t *testing.T, text string) {
		o, err := Decode(text)
		if err != nil {
			return
		}
		again, err := o.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Decode(again); err != nil {
			t.Errorf("decode again: %v", err)
		}
	})
}

// FuzzDecodeContent decodes orders of any content.
func FuzzDecodeContent(f *testing.F) {
	f.Add(`{"snapshot": true}`)
	f.Add(`{"delay": 1e99}`)
	f.Fuzz(func(t *testing.T, text string) {
		o, err := Decode(packed(text))
		if err != nil {
			return
		}
		if _, err := o.Encode(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestFacts(t *testing.T) {
	for _, want := range []Facts{{}, {Guest: "HVM", Module: ModuleNone, Forbidden: 1}, {Module: ModuleFlask, Enforcing: true, Forbidden: 13}, {Module: ModuleFlask, Refused: "it says \"no\"\n"}} {
		got, ok := DecodeFacts(want.Encode())
		if !ok || got != want {
			t.Errorf("%+v became %+v, %v", want, got, ok)
		}
	}
	for _, text := range []string{"", "the clock is coarse", "facts: ", "facts: {", `facts: {"module": 1}`, `facts:{"module":"none"}`} {
		if f, ok := DecodeFacts(text); ok {
			t.Errorf("%q was taken for facts: %+v", text, f)
		}
	}
}

func FuzzDecodeFacts(f *testing.F) {
	f.Add(Facts{Module: ModuleFlask, Enforcing: true, Forbidden: 13}.Encode())
	f.Add("facts: null")
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := DecodeFacts(text)
		if !ok {
			return
		}
		if again, ok := DecodeFacts(got.Encode()); !ok || again != got {
			t.Errorf("%+v became %+v", got, again)
		}
	})
}

// TestBases checks that no two programs can overlap: an address tells the
// domain.
func TestBases(t *testing.T) {
	const most = 0x10000000 // far above what the agent's program takes
	var all []uint64
	for _, domain := range []string{"dom0", "domU"} {
		b := BasesOf(domain)
		all = append(all, b.Agent, b.Native, b.IPC, b.Dynamic)
		if b.Dynamic >= 1<<47 {
			t.Errorf("base %#x is not in user space", b.Dynamic)
		}
	}
	for i, a := range all {
		amd64Alone := a == BasesOf("dom0").Dynamic || a == BasesOf("domU").Dynamic
		if a < 1<<16 || a >= 1<<31 && !amd64Alone {
			t.Errorf("base %#x cannot be linked at on both architectures", a)
		}
		for _, b := range all[:i] {
			if max(a, b)-min(a, b) < most {
				t.Errorf("bases %#x and %#x are too close", a, b)
			}
		}
	}
	if BasesOf("idle") != BasesOf("domU") {
		t.Error("an idle domU needs programs of its own")
	}
}

func TestStatus(t *testing.T) {
	if StatusDone == StatusFailed || StatusDone < 2 || StatusFailed < 2 || StatusDone > 255 || StatusFailed > 255 {
		t.Errorf("exit statuses %d and %d cannot be told from QEMU's own", StatusDone, StatusFailed)
	}
}
