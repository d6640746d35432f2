package ss_test

import (
	"errors"
	"strings"
	"testing"

	"xsmbench/internal/require"
	"xsmbench/xsm/flask/policy/checkpolicy"
	"xsmbench/xsm/flask/policydb"
	"xsmbench/xsm/flask/ss"
)

// mlsBase is base with levels.
const mlsBase = `
class event
class domain
sid xen
sid unlabeled
sid guest
class event { send bind status }
class domain { create transition }
sensitivity s0;
sensitivity s1;
sensitivity s2;
dominance { s0 s1 s2 }
category c0;
category c1;
category c2;
category c3;
category c4;
level s0:c0.c4;
level s1:c0.c4;
level s2:c0.c2;
mlsconstrain event send ( l1 dom l2 );
mlsconstrain event bind ( l1 domby h2 and h1 incomp l2 or h1 == h2 );
mlsconstrain event status ( l1 != h1 and l2 eq h2 );
mlsvalidatetrans event ( l1 eq l2 or t3 == xen_t );
attribute all_type;
type xen_t, all_type;
type guest_t, all_type;
role r;
role r types { xen_t guest_t };
allow all_type all_type:event { send bind status };
type_transition xen_t guest_t:domain guest_t;
range_transition xen_t guest_t:event s1:c0,c1 - s1:c0.c3;
range_transition guest_t guest_t:domain s2:c1;
user u roles r level s0 range s0 - s2:c0.c2;
user w roles r level s0 range s0 - s1:c0.c4;
constrain domain transition ( u1 == u2 );
validatetrans event ( u1 == u2 );
sid xen u:r:xen_t:s0 - s2:c0.c2
sid unlabeled u:object_r:guest_t:s0
sid guest u:r:guest_t:s0
`

func compileMLS(t testing.TB, src string, version int) []byte {
	t.Helper()
	bin, err := checkpolicy.Compile([]byte(src), "Xen", version, true)
	if errors.Is(err, checkpolicy.ErrMissing) {
		require.Missing(t, err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

func loadBinary(t testing.TB, bin []byte) *ss.Server {
	t.Helper()
	s := ss.New(config)
	if _, err := s.Load(bin); err != nil {
		t.Fatal(err)
	}
	return s
}

// allowed asks what is allowed, of the permissions there are.
func allowed(t testing.TB, s *ss.Server, source, target string, class uint16) uint32 {
	t.Helper()
	d, err := s.ComputeAV(sid(t, s, source), sid(t, s, target), class)
	if err != nil {
		t.Fatal(err)
	}
	return d.Allowed & (1<<len(config.Classes[class-1].Permissions) - 1)
}

// TestLevels: constraints on levels, and the levels that new objects get.
func TestLevels(t *testing.T) {
	for _, version := range []int{24, 30} {
		s := loadBinary(t, compileMLS(t, mlsBase, version))
		const send, bind, status = 1, 2, 4
		for _, c := range []struct {
			source, target string
			allowed        uint32
		}{
			{"u:r:guest_t:s0", "u:r:guest_t:s0", send | bind},
			{"u:r:guest_t:s1", "u:r:guest_t:s0", send},
			{"u:r:guest_t:s0", "u:r:guest_t:s1", 0},
			{"u:r:guest_t:s0-s1", "u:r:guest_t:s0", send | status},
			{"u:r:guest_t:s1:c0", "u:r:guest_t:s1:c0.c1", 0},
			{"u:r:guest_t:s0:c0", "u:r:guest_t:s0:c1-s1:c0,c1", bind},
			{"u:r:guest_t:s1:c0.c2", "u:r:guest_t:s1:c0,c2", send},
		} {
			if have := allowed(t, s, c.source, c.target, event); have != c.allowed {
				t.Errorf("version %d: %s on %s: %#x, want %#x", version, c.source, c.target, have, c.allowed)
			}
		}
		for _, c := range []struct {
			source, target string
			class          uint16
			want           string
		}{
			{"u:r:xen_t:s0", "u:r:guest_t:s0", event, "u:object_r:guest_t:s1:c0,c1-s1:c0.c3"}, // a rule
			{"u:r:xen_t:s0-s1", "u:r:xen_t:s2", event, "u:object_r:xen_t:s0"},                 // the subject's low level
			{"u:r:xen_t:s0-s1:c1", "u:r:guest_t:s2", domain, "u:r:guest_t:s0-s1:c1"},          // a domain: both
			{"u:r:guest_t:s0", "u:r:guest_t:s0", domain, "u:r:guest_t:s2:c1"},
		} {
			n, err := s.TransitionSID(sid(t, s, c.source), sid(t, s, c.target), c.class)
			if err != nil {
				t.Errorf("version %d: %s on %s class %d: %v", version, c.source, c.target, c.class, err)
				continue
			}
			if have, _ := s.SIDToContext(n); have != c.want {
				t.Errorf("version %d: %s on %s class %d: %s, want %s", version, c.source, c.target, c.class, have, c.want)
			}
		}
		if _, err := s.TransitionSID(sid(t, s, "w:r:guest_t:s0"), sid(t, s, "u:r:guest_t:s0"), domain); !errors.Is(err, ss.ErrContext) {
			t.Errorf("version %d: a level that the user is not cleared for: %v", version, err)
		}
	}
}

// TestLevelText: contexts with levels as text.
func TestLevelText(t *testing.T) {
	s := loadBinary(t, compileMLS(t, mlsBase, 30))
	for _, c := range []struct{ in, out string }{
		{"u:r:guest_t:s0", ""}, {"u:r:guest_t:s0-s0", "u:r:guest_t:s0"}, {"w:r:guest_t:s0:c4,c0.c2-s1:c0.c4", "w:r:guest_t:s0:c0.c2,c4-s1:c0.c4"},
		{"w:r:guest_t:s1:c3,c1,c2", "w:r:guest_t:s1:c1.c3"}, {"w:r:guest_t:s1:c0,c1", ""}, {"u:object_r:guest_t:s0:c3,c4", ""},
	} {
		n := sid(t, s, c.in)
		if c.out == "" {
			c.out = c.in
		}
		if have, _ := s.SIDToContext(n); have != c.out {
			t.Errorf("%s is written %s, want %s", c.in, have, c.out)
		}
	}
	for _, c := range []string{
		"u:r:guest_t", "u:r:guest_t:", "u:r:guest_t:s3", "u:r:guest_t:s1-s0", "u:r:guest_t:s0:c0-s1", "u:r:guest_t:s2:c3", "u:object_r:guest_t:s2:c3",
		"w:r:guest_t:s2", "u:r:guest_t:s0:c9", "u:r:guest_t:s0:c1.c0", "u:r:guest_t:s0:", "u:r:guest_t:s0:c0,", "u:r:guest_t:s0-", "u:r:guest_t:s0 ",
	} {
		if n, err := s.ContextToSID(c); !errors.Is(err, ss.ErrContext) {
			t.Errorf("context %q: SID %d, %v", c, n, err)
		}
	}
}

// TestValidatetrans: a change of context needs every expression of its class.
func TestValidatetrans(t *testing.T) {
	s := loadBinary(t, compileMLS(t, mlsBase, 30))
	for _, c := range []struct {
		old, new, subject string
		ok                bool
	}{
		{"u:r:guest_t:s0", "u:r:xen_t:s0", "u:r:guest_t:s0", true},
		{"u:r:guest_t:s0", "u:r:guest_t:s1", "u:r:guest_t:s0", false},
		{"u:r:guest_t:s0", "u:r:guest_t:s1", "u:r:xen_t:s0", true},
		{"u:r:guest_t:s0", "w:r:guest_t:s0", "u:r:xen_t:s0", false},
	} {
		err := s.ValidateTransition(sid(t, s, c.old), sid(t, s, c.new), sid(t, s, c.subject), event)
		if (err == nil) != c.ok || err != nil && !errors.Is(err, ss.ErrContext) {
			t.Errorf("from %s to %s by %s: %v", c.old, c.new, c.subject, err)
		}
		if err := s.ValidateTransition(sid(t, s, c.old), sid(t, s, c.new), sid(t, s, c.subject), domain); err != nil {
			t.Errorf("class domain: %v", err)
		}
	}
	if err := s.ValidateTransition(1, 2, 3, 9); !errors.Is(err, ss.ErrClass) {
		t.Errorf("class 9: %v", err)
	}
	if err := ss.New(config).ValidateTransition(1, 2, 3, event); err != nil {
		t.Errorf("without a policy: %v", err)
	}
}

// TestConstraints: attributes other than levels.
func TestConstraints(t *testing.T) {
	for _, c := range []struct {
		expression     string
		source, target string
		holds          bool
	}{
		{"u1 == u2", "u:r:guest_t", "u:r:xen_t", true},
		{"u1 == u2", "u:guest_r:guest_t", "v:guest_r:guest_t", false},
		{"u1 != u2", "u:guest_r:guest_t", "v:guest_r:guest_t", true},
		{"r1 != r2 and t1 == t2", "u:r:guest_t", "u:guest_r:guest_t", true},
		{"not t1 == guest_t or t2 == { xen_t guest_t }", "u:r:guest_t", "u:r:guest2_t", false},
		{"not t1 == guest_t or t2 == { xen_t guest_t }", "u:r:guest_t", "u:r:xen_t", true},
		{"t2 != guest_type", "u:r:guest_t", "u:r:xen_t", true},
		{"t2 != guest_type", "u:r:guest_t", "u:r:guest2_t", false},
		{"r1 == { r } and u2 == { u }", "u:r:guest_t", "u:r:xen_t", true},
		{"r1 dom r2", "u:r:guest_t", "u:guest_r:guest_t", true},
		{"r1 domby r2", "u:guest_r:guest_t", "u:r:guest_t", true},
		{"r1 incomp r2", "u:r:guest_t", "u:guest_r:guest_t", false},
		{"r1 incomp r2", "u:other_r:guest_t", "u:guest_r:guest_t", true},
	} {
		src := strings.Replace(source("role other_r;\nrole other_r types guest_t;\ndominance { role r { role guest_r; } }"), "u roles { r guest_r }", "u roles { r guest_r other_r }", 1)
		src = strings.Replace(src, "sid xen u:r", "constrain event status ( "+c.expression+" );\nsid xen u:r", 1)
		s := loadBinary(t, compile(t, src, 24))
		if have := allowed(t, s, c.source, c.target, event)&4 != 0; have != c.holds {
			t.Errorf("%s: of %s on %s: %v", c.expression, c.source, c.target, have)
		}
	}
}

// TestConditionals: rules under a condition hold if it does.
func TestConditionals(t *testing.T) {
	for _, c := range []struct {
		condition string
		holds     bool
	}{
		{"yes", true}, {"no", false}, {"!no", true}, {"yes && no", false}, {"yes || no", true}, {"yes ^ no", true}, {"yes ^ yes", false},
		{"yes == no", false}, {"yes != no", true}, {"!(yes && !no)", false}, {"no && no || yes", true},
	} {
		for _, version := range []int{24, 30} {
			s := load(t, `bool yes true; bool no false;
if (`+c.condition+`) {
  allow nothing_t chan_t:event bind; auditallow nothing_t chan_t:event send; type_transition xen_t xen_t:event guest_t;
} else {
  allow nothing_t chan_t:event send; dontaudit nothing_t chan_t:event status; type_transition xen_t xen_t:event chan_t;
}`, version)
			d, err := s.ComputeAV(sid(t, s, "u:object_r:nothing_t"), sid(t, s, "u:object_r:chan_t"), event)
			if err != nil {
				t.Fatal(err)
			}
			n, err := s.TransitionSID(sidXen, sidXen, event)
			if err != nil {
				t.Fatal(err)
			}
			label, _ := s.SIDToContext(n)
			have := [4]any{d.Allowed, d.AuditAllow, d.AuditDeny & 7, label}
			want := [4]any{uint32(1), uint32(0), uint32(3), "u:object_r:chan_t"}
			if c.holds {
				want = [4]any{uint32(2), uint32(1), uint32(7), "u:object_r:guest_t"}
			}
			if have != want {
				t.Errorf("version %d, if %s: %v, want %v", version, c.condition, have, want)
			}
		}
	}
}

// TestMemberAndChange: the rules that are not for transitions.
func TestMemberAndChange(t *testing.T) {
	s := load(t, "type_member guest_t xen_t:event chan_t;\ntype_change guest_t xen_t:event guest2_t;\nrole_transition r guest_t:event guest_r;", 30)
	source, target := sid(t, s, "u:r:guest_t"), sid(t, s, "v:object_r:xen_t")
	for _, c := range []struct {
		name string
		f    func(ssid, tsid ss.SID, class uint16) (ss.SID, error)
		want string
	}{
		{"member", s.MemberSID, "v:object_r:chan_t"},
		{"change", s.ChangeSID, "u:object_r:guest2_t"},
		{"transition", s.TransitionSID, "u:object_r:xen_t"},
	} {
		n, err := c.f(source, target, event)
		if have, _ := s.SIDToContext(n); err != nil || have != c.want {
			t.Errorf("%s: %s, %v, want %s", c.name, have, err, c.want)
		}
	}
	// A role transition is for the class that it names.
	target = sid(t, s, "v:object_r:guest_t")
	for class, want := range map[uint16]string{event: "u:guest_r:guest_t", domain: "u:r:guest_t"} {
		n, err := s.TransitionSID(source, target, class)
		if have, _ := s.SIDToContext(n); err != nil || have != want {
			t.Errorf("class %d is labelled %s, %v, want %s", class, have, err, want)
		}
	}
}

// TestDefaults: default_user and its kin are read and have no effect, as in Xen.
func TestDefaults(t *testing.T) {
	src := source("type_transition xen_t xen_t:event chan_t;")
	src = strings.Replace(src, "attribute all_type;", "default_user event target;\ndefault_role event source;\ndefault_type event source;\nattribute all_type;", 1)
	s := loadBinary(t, compile(t, src, 30))
	n, err := s.TransitionSID(sid(t, s, "u:r:guest_t"), sid(t, s, "v:guest_r:guest_t"), event)
	if have, _ := s.SIDToContext(n); err != nil || have != "u:object_r:guest_t" {
		t.Errorf("labelled %s, %v", have, err)
	}
}

// TestBounds: what the bounding type may not do, the bounded one may not
// either. checkpolicy refuses a policy where that matters, so a permission is
// taken from the compiled rule.
func TestBounds(t *testing.T) {
	bin := compile(t, source("typebounds guest_t guest2_t;\nallow guest_t chan_t:event { send bind };\nallow guest2_t chan_t:event { send bind };"), 24)
	s := loadBinary(t, bin)
	if have := allowed(t, s, "u:r:guest2_t", "u:object_r:chan_t", event); have != 3 {
		t.Errorf("within bounds: %#x", have)
	}
	db, err := policydb.Read(bin)
	if err != nil {
		t.Fatal(err)
	}
	s = loadBinary(t, take(t, bin, db, "guest_t", "chan_t", "event", "bind"))
	if have := allowed(t, s, "u:r:guest2_t", "u:object_r:chan_t", event); have != 1 {
		t.Errorf("bound by guest_t: %#x, want 1", have)
	}
	if have := allowed(t, s, "u:object_r:guest_t", "u:object_r:chan_t", event); have != 1 {
		t.Errorf("guest_t: %#x, want 1", have)
	}
}
