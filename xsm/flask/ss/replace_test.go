package ss_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"xsmbench/xsm/flask/ss"
)

// TestReplace loads a policy that numbers everything anew, lacks a type and a
// role's type, and has rules of its own: SIDs mean what they meant, and what
// the policy does not have means unlabeled.
func TestReplace(t *testing.T) {
	for _, permissive := range []bool{false, true} {
		cfg, told := config, []string(nil)
		cfg.UseInvalid = func(err error) bool { told = append(told, err.Error()); return permissive }
		s := ss.New(cfg)
		if l, err := s.Load(compile(t, source(""), 24)); err != nil || l.Seqno != 1 || l.Invalidated != nil {
			t.Fatalf("%+v, %v", l, err)
		}
		kept, gone, invalid := sid(t, s, "v:guest_r:guest_t"), sid(t, s, "u:r:guest2_t"), sid(t, s, "u:guest_r:guest_t")
		frame := must(s.IOMemSID(0x10, 99))
		next := strings.NewReplacer(
			"type xen_t,", "type first_t; type second_t; type xen_t,",
			"type guest2_t, all_type, guest_type;\n", "type third_t; role r types third_t;",
			"guest2_t", "third_t",
			"allow guest_type guest_type:event send;", "allow guest_type guest_type:event bind;",
			"user u roles { r guest_r };", "user x roles r; user u roles r;",
			"sid guest u:r:guest_t", "sid guest u:r:third_t",
			"iomemcon 0x10-0x1f u:object_r:chan_t", "iomemcon 0x10-0x1f u:object_r:nothing_t",
		).Replace(source(""))
		l, err := s.Load(compile(t, next, 30))
		if err != nil || l.Seqno != 2 {
			t.Fatalf("%+v, %v", l, err)
		}
		unlabeled := "u:object_r:nothing_t"
		want := map[ss.SID]string{
			sidXen: "u:r:xen_t", sidUnlabeled: unlabeled, sidGuest: "u:r:guest_t", kept: "v:guest_r:guest_t",
			gone: unlabeled, invalid: unlabeled, frame: "u:object_r:chan_t",
		}
		invalidated := []string{"u:guest_r:guest_t", "u:r:guest2_t"}
		if permissive {
			want[invalid], invalidated = "u:guest_r:guest_t", invalidated[1:]
		}
		for n, context := range want {
			if have, _ := s.SIDToContext(n); have != context {
				t.Errorf("permissive %v: SID %d is %s, want %s", permissive, n, have, context)
			}
		}
		slices.Sort(l.Invalidated)
		if !slices.Equal(l.Invalidated, invalidated) {
			t.Errorf("permissive %v: invalidated %q, want %q", permissive, l.Invalidated, invalidated)
		}
		if !slices.Equal(told, []string{"invalid context: u:guest_r:guest_t"}) {
			t.Errorf("permissive %v: asked about %q", permissive, told)
		}
		if d, _ := s.ComputeAV(sidGuest, kept, event); d.Allowed&7 != 2|4 || d.Seqno != 2 {
			t.Errorf("permissive %v: %+v", permissive, d)
		}
		if n := must(s.IOMemSID(0x10, 99)); n != sidUnlabeled {
			t.Errorf("frame 0x10 has SID %d", n)
		}
		if n := sid(t, s, "u:r:third_t"); n <= frame {
			t.Errorf("SID %d is given out twice", n)
		}
	}
}

// TestReplaceRefused leaves the policy that is loaded in force.
func TestReplaceRefused(t *testing.T) {
	s := load(t, "", 24)
	lacking := strings.NewReplacer("class event { unused status bind send }", "class event { unused status bind }", ":event send", ":event bind").Replace(source(""))
	for _, c := range []struct {
		pol  []byte
		text string
	}{
		{compile(t, lacking, 24), "permissions event { send }"},
		{compileMLS(t, mlsBase, 24), "levels"},
		{[]byte("no policy"), "not a policy"},
	} {
		if _, err := s.Load(c.pol); err == nil || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%v, want …%s…", err, c.text)
		}
		if d, err := s.ComputeAV(sidGuest, sidGuest, event); err != nil || d.Allowed&7 != 7 || d.Seqno != 1 {
			t.Errorf("after a refused policy: %+v, %v", d, err)
		}
	}
}

// TestReplaceLevels converts levels and categories by name.
func TestReplaceLevels(t *testing.T) {
	s := ss.New(config)
	if _, err := s.Load(compileMLS(t, mlsBase, 24)); err != nil {
		t.Fatal(err)
	}
	const both, lost = "u:r:guest_t:s0-s2:c0,c2", "w:r:guest_t:s0:c4"
	b, l := sid(t, s, both), sid(t, s, lost)
	next := strings.NewReplacer("sensitivity s0;\n", "sensitivity s9; sensitivity s0;\n", "dominance { s0", "dominance { s9 s0", "category c4;\n", "",
		"category c0;\n", "category new; category c0;\n", "c0.c4", "c0.c3", "level s2:", "level s9; level s2:").Replace(mlsBase)
	if _, err := s.Load(compileMLS(t, next, 24)); err != nil {
		t.Fatal(err)
	}
	for n, want := range map[ss.SID]string{b: both, l: "u:object_r:guest_t:s0", sidXen: "u:r:xen_t:s0-s2:c0.c2"} {
		if have, _ := s.SIDToContext(n); have != want {
			t.Errorf("SID %d is %s, want %s", n, have, want)
		}
	}
}

// TestBooleans decides by their values, and refuses another number of them.
func TestBooleans(t *testing.T) {
	s := load(t, "bool one true; bool two false; if (two) { allow guest_t xen_t:event send; }", 24)
	allowed := func() uint32 {
		d, _ := s.ComputeAV(sidGuest, sidXen, event)
		return d.Allowed & 1
	}
	list := s.Booleans()
	slices.SortFunc(list, func(a, b ss.Boolean) int { return strings.Compare(a.Name, b.Name) }) // checkpolicy's order is its own
	if !slices.Equal(list, []ss.Boolean{{Name: "one", Value: true}, {Name: "two"}}) || allowed() != 0 {
		t.Errorf("%v, allowed %d", s.Booleans(), allowed())
	}
	for i, on := range []bool{true, false, true} {
		if n, err := s.SetBooleans([]bool{on, on}); err != nil || n != uint32(i+2) {
			t.Errorf("number %d, %v", n, err)
		}
		if have := allowed() != 0; have != on || s.Booleans()[1].Value != on {
			t.Errorf("allowed is %v after setting it to %v", have, on)
		}
	}
	if _, err := s.SetBooleans([]bool{true}); !errors.Is(err, ss.ErrBoolean) || allowed() == 0 {
		t.Errorf("one value of two: %v, allowed %d", err, allowed())
	}
}

// TestUserSIDs lists what a domain may change to, with levels that suit it.
func TestUserSIDs(t *testing.T) {
	s := ss.New(config)
	src := strings.Replace(mlsBase, "user u", "allow all_type guest_t:domain transition;\nuser u", 1)
	src = strings.Replace(src, "( u1 == u2 )", "( u1 == u2 or u2 == w )", 1)
	if _, err := s.Load(compileMLS(t, src, 24)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, user, want string }{
		{"u:r:xen_t:s0-s2:c0.c2", "u", "u:r:guest_t:s0-s2:c0.c2"},
		{"u:r:xen_t:s0-s1:c1", "u", "u:r:guest_t:s0-s1:c1"}, // cleared for no more
		{"u:r:xen_t:s1-s2", "u", "u:r:guest_t:s1-s2"},       // the source's low level
		{"u:r:xen_t:s0-s1", "w", "w:r:guest_t:s0-s1"},
		{"w:r:xen_t:s0-s1", "u", ""},    // a constraint
		{"u:r:xen_t:s0-s2:c0", "w", ""}, // neither is cleared for the other's
		{"w:r:xen_t:s0-s1:c0.c4", "w", "w:r:guest_t:s0-s1:c0.c4"},
	} {
		sids, err := s.UserSIDs(sid(t, s, c.from), c.user)
		var list []string
		for _, n := range sids {
			text, _ := s.SIDToContext(n)
			list = append(list, text)
		}
		if have := strings.Join(list, " "); err != nil || have != c.want {
			t.Errorf("%s to %s: %q, %v, want %q", c.from, c.user, have, err, c.want)
		}
	}
	if _, err := s.UserSIDs(sidXen, "nobody"); !errors.Is(err, ss.ErrContext) {
		t.Errorf("no such user: %v", err)
	}
}
