package results

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/pprof/profile"

	"xsmbench/bench"
)

func testProfile(windows int64) *bench.Profile {
	return &bench.Profile{Windows: windows, Ops: 4, Paths: []bench.Path{
		{Function: "lstar_enter", Calls: 1, Instructions: 232},
		{Handler: "do_event_channel_op", Function: "do_event_channel_op", Part: bench.PartEntry, Instructions: -58},
		{Handler: "do_event_channel_op", Hook: "evtchn_send", Function: "__x86_return_thunk", Part: bench.PartThunk, Calls: 3, Instructions: 3},
		{Handler: "do_event_channel_op", Hook: "evtchn_send", Function: "avc_has_perm", Part: bench.PartBody, Calls: 1, Instructions: 34},
		{Handler: "do_event_channel_op", Hook: "evtchn_send", Function: "evtchn_send", Part: bench.PartSite, Calls: 1, Instructions: 4},
	}}
}

// profiled measures two benchmarks with profiles in each domain.
func profiled(t *testing.T, d *Dir, number int, end bool) {
	t.Helper()
	w := begin(t, d, number, 1, "native")
	for _, domain := range []string{"dom0", "domU"} {
		for i, name := range []string{"Lmbench/lat_proc/op=fork", "Kbench/hypercall/op=evtchn_send"} {
			m := measurement(domain, 1000)
			m.Benchmark, m.Profile = name, testProfile(int64(1+i))
			m.Profile.Executed = [][]string{{"avc_has_perm", "lstar_enter"}, {"avc_has_perm", "evtchn_send.part"}}[i]
			if err := w.Add(m); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Add(measurement(domain, 7)); err != nil { // has no profile
			t.Fatal(err)
		}
	}
	if end {
		if err := w.End(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestProfiles(t *testing.T) {
	d := create(t)
	profiled(t, d, 1, true)
	profiled(t, d, 2, false)
	got, problems, err := ReadProfiles(d.Path())
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	executed := []string{"avc_has_perm", "evtchn_send.part", "lstar_enter"} // of all of a boot and domain
	var want []Profile
	for _, domain := range []string{"dom0", "domU"} {
		for i, name := range []string{"Lmbench/lat_proc/op=fork", "Kbench/hypercall/op=evtchn_send"} {
			want = append(want, Profile{
				Boot: Boot{Boot: 1, Round: 1, Order: 1, Image: "5d41", Seed: -3}, Target: "model", Arch: "amd64",
				Build: "native", Domain: domain, Benchmark: name, Profile: *testProfile(int64(1 + i)),
				File: filepath.Join(d.Path(), "profiles", "0001-native-"+domain+".pb.gz"),
			})
			want[len(want)-1].Executed = executed
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestProfileStacks reads a file as "go tool pprof" does.
func TestProfileStacks(t *testing.T) {
	p := EncodeProfiles([]Profile{{Benchmark: "B", Build: "flask", Domain: "dom0", Profile: *testProfile(1)}})
	if err := p.CheckValid(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range p.Sample {
		var names []string
		for _, l := range s.Location {
			names = append(names, l.Line[0].Function.Name)
		}
		got = append(got, strings.Join(names, " < "))
	}
	want := []string{
		"lstar_enter < (entry and exit) < B",
		"do_event_channel_op < do_event_channel_op < B",
		"__x86_return_thunk < hook evtchn_send < do_event_channel_op < B",
		"avc_has_perm < hook evtchn_send < do_event_channel_op < B",
		"hook evtchn_send < do_event_channel_op < B",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if l := p.Sample[4].Label; l["in"][0] != "evtchn_send" || l["part"][0] != "site" || l["build"][0] != "flask" {
		t.Errorf("labels %v", l)
	}
}

// TestDamagedProfiles: a file that cannot be read is a problem, the others stand.
func TestDamagedProfiles(t *testing.T) {
	d := create(t)
	profiled(t, d, 1, true)
	path := filepath.Join(d.Path(), "profiles", "0001-native-dom0.pb.gz")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, damaged := range map[string][]byte{
		"empty": nil, "cut off": text[:len(text)/2], "something else": []byte("hello\n"), "another's": foreign(t),
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(path, damaged, 0o644); err != nil {
				t.Fatal(err)
			}
			list, problems, err := ReadProfiles(d.Path())
			if err != nil || len(list) != 2 || len(problems) != 1 || problems[0].File != path {
				t.Errorf("%d profiles, problems %v, error %v", len(list), problems, err)
			}
		})
	}
	if _, err := DecodeProfiles(foreign(t)); !errors.Is(err, ErrForeign) {
		t.Errorf("another program's profile: error %v", err)
	}
}

// foreign is a profile of another program's.
func foreign(t *testing.T) []byte {
	t.Helper()
	p := &profile.Profile{SampleType: []*profile.ValueType{{Type: "cpu", Unit: "nanoseconds"}}}
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func FuzzDecodeProfiles(f *testing.F) {
	var b bytes.Buffer
	p := EncodeProfiles([]Profile{{Benchmark: "B", Profile: *testProfile(1)}})
	p.Comments = []string{"build=flask", "domain=dom0", "boot=3"}
	if err := p.WriteUncompressed(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := DecodeProfiles(text)
		if err != nil {
			return
		}
		for _, p := range list {
			if p.Windows < 1 || p.Ops < 1 || p.Build == "" || p.Domain == "" {
				t.Errorf("%+v", p)
			}
		}
	})
}
