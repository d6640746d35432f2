package ss_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"xsmbench/internal/require"
	"xsmbench/xsm/flask/policy/checkpolicy"
	"xsmbench/xsm/flask/policydb"
	"xsmbench/xsm/flask/ss"
)

// config is a hypervisor's with two classes and three SIDs.
var config = ss.Config{
	Classes: []ss.Class{
		{Name: "domain", Permissions: []string{"create", "transition"}},
		{Name: "event", Permissions: []string{"send", "bind", "status"}},
	},
	InitialSIDs: []string{"xen", "unlabeled", "guest"},
	Unlabeled:   2,
	DomainClass: 1,
	Transition:  2,
}

const (
	sidXen, sidUnlabeled, sidGuest = 1, 2, 3
	domain, event                  = 1, 2
)

// base is a policy for config, that numbers classes and permissions in an
// order of its own. MORE takes further rules.
const base = `
class event
class other
class domain
sid xen
sid unlabeled
sid guest
class event { unused status bind send }
class other { look }
class domain { create transition }
attribute all_type;
attribute guest_type;
type xen_t, all_type;
type guest_t, all_type, guest_type;
type guest2_t, all_type, guest_type;
type nothing_t;
type chan_t;
role r;
role r types { xen_t guest_t guest2_t };
role guest_r;
role guest_r types { guest_t };
allow r guest_r;
allow all_type all_type:event status;
allow guest_type guest_type:event send;
allow guest_t self:event bind;
allow xen_t guest_type:domain { create transition };
allow guest_t xen_t:domain { create transition };
auditallow guest_t guest2_t:event send;
dontaudit guest_t xen_t:event bind;
type_transition guest_t guest2_t:event chan_t;
type_transition xen_t guest_t:domain guest2_t;
type_transition guest2_t guest_t:domain nothing_t;
MORE
user u roles { r guest_r };
user v roles guest_r;
sid xen u:r:xen_t
sid unlabeled u:object_r:nothing_t
sid guest u:r:guest_t
iomemcon 0x10-0x1f u:object_r:chan_t
iomemcon 0x20 u:r:guest_t
ioportcon 0x60 u:object_r:chan_t
pirqcon 4 u:object_r:chan_t
`

func compile(t testing.TB, src string, version int) []byte {
	t.Helper()
	bin, err := checkpolicy.Compile([]byte(src), "Xen", version, false)
	if errors.Is(err, checkpolicy.ErrMissing) {
		require.Missing(t, err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

func source(more string) string { return strings.Replace(base, "MORE", more, 1) }

func load(t testing.TB, more string, version int) *ss.Server {
	t.Helper()
	s := ss.New(config)
	if _, err := s.Load(compile(t, source(more), version)); err != nil {
		t.Fatal(err)
	}
	return s
}

func sid(t testing.TB, s *ss.Server, context string) ss.SID {
	t.Helper()
	n, err := s.ContextToSID(context)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestComputeAV(t *testing.T) {
	s := load(t, "permissive guest2_t;", 24)
	for _, c := range []struct {
		source, target string
		class          uint16
		allowed        uint32 // of the permissions there are
		auditallow     uint32
		auditdeny      uint32
	}{
		{"u:r:xen_t", "u:r:xen_t", event, 4, 0, 7},
		{"u:r:xen_t", "u:r:guest_t", event, 4, 0, 7},
		{"u:r:guest_t", "u:r:guest2_t", event, 1 | 4, 1, 7},
		{"u:r:guest_t", "u:r:guest_t", event, 1 | 2 | 4, 0, 7},
		{"u:r:guest_t", "u:r:xen_t", event, 4, 0, 1 | 4},
		{"u:object_r:nothing_t", "u:r:xen_t", event, 0, 0, 7},
		{"u:r:guest_t", "u:object_r:chan_t", event, 0, 0, 7},
		{"u:r:xen_t", "u:r:guest_t", domain, 3, 0, 3},
		{"u:r:xen_t", "u:guest_r:guest_t", domain, 3, 0, 3}, // r may become guest_r
		{"u:guest_r:guest_t", "u:r:xen_t", domain, 1, 0, 3}, // but not back
		{"v:guest_r:guest_t", "u:guest_r:guest_t", domain, 0, 0, 3},
		{"u:r:guest2_t", "u:r:xen_t", event, 4, 0, 7}, // permissive, which is another matter
	} {
		d, err := s.ComputeAV(sid(t, s, c.source), sid(t, s, c.target), c.class)
		if err != nil {
			t.Fatal(err)
		}
		mask := uint32(1)<<len(config.Classes[c.class-1].Permissions) - 1
		if d.Allowed&mask != c.allowed || d.AuditAllow != c.auditallow || d.AuditDeny&mask != c.auditdeny || d.Seqno != 1 || d.Decided != ^uint32(0) {
			t.Errorf("%s on %s class %d: %+v, want allowed %#x, auditallow %#x, auditdeny %#x", c.source, c.target, c.class, d, c.allowed, c.auditallow, c.auditdeny)
		}
	}
	for _, class := range []uint16{0, 3, 65535} {
		if _, err := s.ComputeAV(sidXen, sidXen, class); !errors.Is(err, ss.ErrClass) {
			t.Errorf("class %d: %v", class, err)
		}
		if _, err := s.TransitionSID(sidXen, sidXen, class); !errors.Is(err, ss.ErrClass) {
			t.Errorf("transition, class %d: %v", class, err)
		}
	}
	if d, _ := s.ComputeAV(4711, sidXen, event); d.Allowed != 0 {
		t.Errorf("a SID that is not there is allowed %#x", d.Allowed)
	}
}

func TestTransition(t *testing.T) {
	for version, role := range map[int]string{24: "r", 30: "guest_r"} { // checkpolicy drops the rule before version 26
		s := load(t, "role_transition r guest_t:domain guest_r;", version)
		for _, c := range []struct {
			source, target string
			class          uint16
			want           string
		}{
			{"u:r:guest_t", "v:guest_r:guest_t", event, "u:object_r:guest_t"}, // as the target
			{"u:r:guest_t", "u:r:guest2_t", event, "u:object_r:chan_t"},       // a rule
			{"u:r:guest_t", "u:r:xen_t", domain, "u:r:guest_t"},               // as the source
			{"u:r:guest_t", "u:r:guest_t", domain, "u:" + role + ":guest_t"},  // a role's rule
		} {
			n, err := s.TransitionSID(sid(t, s, c.source), sid(t, s, c.target), c.class)
			if err != nil {
				t.Errorf("%s on %s class %d: %v", c.source, c.target, c.class, err)
				continue
			}
			if have, _ := s.SIDToContext(n); have != c.want {
				t.Errorf("version %d: %s on %s class %d: %s, want %s", version, c.source, c.target, c.class, have, c.want)
			}
		}
		if _, err := s.TransitionSID(sid(t, s, "u:r:guest2_t"), sid(t, s, "u:r:guest_t"), domain); !errors.Is(err, ss.ErrContext) || !strings.Contains(err.Error(), "nothing_t") {
			t.Errorf("transition to a type that the role does not have: %v", err)
		}
	}
}

// TestUseInvalid labels with a context that the policy does not allow, as
// permissive mode does.
func TestUseInvalid(t *testing.T) {
	cfg, told := config, ""
	cfg.UseInvalid = func(err error) bool { told = err.Error(); return true }
	s := ss.New(cfg)
	if _, err := s.Load(compile(t, source(""), 24)); err != nil {
		t.Fatal(err)
	}
	n, err := s.TransitionSID(sid(t, s, "u:r:guest2_t"), sid(t, s, "u:r:guest_t"), domain)
	if have, _ := s.SIDToContext(n); err != nil || have != "u:r:nothing_t" {
		t.Errorf("labelled %s, %v, want u:r:nothing_t", have, err)
	}
	if want := "invalid context: u:r:nothing_t, new domain of u:r:guest_t by u:r:guest2_t"; told != want {
		t.Errorf("told %q, want %q", told, want)
	}
}

func TestContexts(t *testing.T) {
	s := load(t, "", 24)
	if n := sid(t, s, "u:r:guest_t"); n != sidGuest {
		t.Errorf("guest has SID %d, want %d", n, sidGuest)
	}
	first := sid(t, s, "v:guest_r:guest_t")
	if first != 4 || sid(t, s, "v:guest_r:guest_t") != first {
		t.Errorf("the first SID given out is %d", first)
	}
	for _, c := range []string{"", "u", "u:r", "u:r:guest_t:s0", "w:r:guest_t", "u:s:guest_t", "u:r:nobody_t", "u:r:all_type", "v:r:guest_t", "u:guest_r:xen_t"} {
		if n, err := s.ContextToSID(c); !errors.Is(err, ss.ErrContext) {
			t.Errorf("context %q: SID %d, %v", c, n, err)
		}
	}
	if have, err := s.SIDToContext(9999); have != "u:object_r:nothing_t" || err != nil {
		t.Errorf("a SID that is not there: %q, %v", have, err)
	}
	if s.SIDs() != 4 {
		t.Errorf("%d SIDs, want 4", s.SIDs())
	}
}

func TestResources(t *testing.T) {
	s := load(t, "", 24)
	label := sid(t, s, "u:object_r:chan_t")
	for _, c := range []struct {
		what       string
		have, want ss.SID
	}{
		{"frame 0xf", must(s.IOMemSID(0xf, 99)), 99},
		{"frame 0x10", must(s.IOMemSID(0x10, 99)), label},
		{"frame 0x1f", must(s.IOMemSID(0x1f, 99)), label},
		{"frame 0x20", must(s.IOMemSID(0x20, 99)), sidGuest},
		{"frame 0x20 again", must(s.IOMemSID(0x20, 99)), sidGuest},
		{"frame 1<<40", must(s.IOMemSID(1<<40, 99)), 99},
		{"port 0x60", must(s.IOPortSID(0x60, 98)), label},
		{"port 0x61", must(s.IOPortSID(0x61, 98)), 98},
		{"interrupt 4", must(s.PIRQSID(4, 97)), label},
		{"interrupt 5", must(s.PIRQSID(5, 97)), 97},
	} {
		if c.have != c.want {
			t.Errorf("%s has SID %d, want %d", c.what, c.have, c.want)
		}
	}
}

func must(n ss.SID, err error) ss.SID {
	if err != nil {
		panic(err)
	}
	return n
}

// TestNoPolicy: everything is allowed, or nothing once closed, and contexts
// are the initial SIDs' names.
func TestNoPolicy(t *testing.T) {
	s := ss.New(config)
	if d, err := s.ComputeAV(1, 2, 99); err != nil || d.Allowed != ^uint32(0) {
		t.Errorf("%+v, %v", d, err)
	}
	if n, _ := s.TransitionSID(7, 8, event); n != 8 {
		t.Errorf("a new event channel gets SID %d", n)
	}
	if n, _ := s.TransitionSID(7, 8, domain); n != 7 {
		t.Errorf("a new domain gets SID %d", n)
	}
	if c, _ := s.SIDToContext(3); c != "guest" {
		t.Errorf("context of SID 3 is %q", c)
	}
	if _, err := s.SIDToContext(4); !errors.Is(err, ss.ErrSID) || !errors.Is(err, ss.ErrNotLoaded) {
		t.Errorf("context of SID 4: %v", err)
	}
	if n, _ := s.ContextToSID("guest"); n != 3 {
		t.Errorf("SID of guest is %d", n)
	}
	if _, err := s.ContextToSID("u:r:guest_t"); !errors.Is(err, ss.ErrNotLoaded) {
		t.Errorf("SID of a context: %v", err)
	}
	if n, _ := s.PIRQSID(4, 12); n != 12 {
		t.Errorf("interrupt 4 has SID %d", n)
	}
	if s.Initialised() || s.SIDs() != 0 {
		t.Error("says that a policy is loaded")
	}
	if _, err := s.SetBooleans(nil); !errors.Is(err, ss.ErrBoolean) {
		t.Errorf("set booleans: %v", err)
	}
	if sids, err := s.UserSIDs(1, "u"); err != nil || sids != nil {
		t.Errorf("a user's SIDs: %v, %v", sids, err)
	}
	s.Close()
	if !s.Initialised() {
		t.Error("closed, and everything is allowed")
	}
	if d, err := s.ComputeAV(1, 2, 1); err != nil || d.Allowed != 0 || d.AuditDeny != ^uint32(0) {
		t.Errorf("closed: %+v, %v", d, err)
	}
}

// TestRefused loads policies that lack what the hypervisor needs: the error
// names all of it.
func TestRefused(t *testing.T) {
	good := compile(t, source(""), 24)
	if _, err := ss.New(config).Load(good[:500]); !errors.Is(err, policydb.ErrTruncated) {
		t.Errorf("truncated policy: %v", err)
	}
	for _, c := range []struct {
		name string
		edit func(*ss.Config)
		text string
	}{
		{"class", func(c *ss.Config) {
			c.Classes = append(c.Classes, ss.Class{Name: "grant", Permissions: []string{"map", "copy"}})
		}, "lacks what the hypervisor asks for: permissions grant { map copy }"},
		{"all of several", func(c *ss.Config) {
			c.Classes = []ss.Class{{Name: "domain", Permissions: []string{"create", "pause"}}, {Name: "event", Permissions: []string{"send", "vector", "close"}}}
			c.InitialSIDs = append(c.InitialSIDs, "domio", "domxen")
		}, "permissions domain { pause }; permissions event { vector close }; initial SIDs domio domxen"},
		{"none that stands for it", func(c *ss.Config) {
			c.Classes = []ss.Class{{Name: "event", Permissions: []string{"vector"}}}
			c.StandIns = map[string][]string{"event vector": {"event assign", "nothing send"}}
		}, "permissions event { vector }"},
	} {
		cfg := config
		cfg.Classes = append([]ss.Class(nil), config.Classes...)
		cfg.InitialSIDs = append([]string(nil), config.InitialSIDs...)
		c.edit(&cfg)
		s := ss.New(cfg)
		if _, err := s.Load(good); !errors.Is(err, ss.ErrMissing) || !strings.Contains(err.Error(), c.text) || s.Initialised() {
			t.Errorf("%s: %v, want %q", c.name, err, c.text)
		}
	}
}

// TestConcurrentSIDs gives one context one SID, whoever asks first.
func TestConcurrentSIDs(t *testing.T) {
	s := load(t, "", 24)
	contexts := []string{"v:guest_r:guest_t", "u:guest_r:guest_t", "u:r:guest2_t", "v:object_r:chan_t", "u:object_r:chan_t"}
	got := make([]map[string]ss.SID, 4)
	var wg sync.WaitGroup
	for i := range got {
		got[i] = make(map[string]ss.SID)
		wg.Go(func() {
			for j := range 200 {
				c := contexts[(i+j)%len(contexts)]
				n, err := s.ContextToSID(c)
				if back, _ := s.SIDToContext(n); err != nil || back != c || got[i][c] != 0 && got[i][c] != n {
					t.Errorf("%s has SID %d, which is %s: %v", c, n, back, err)
					return
				}
				got[i][c] = n
			}
		})
	}
	wg.Wait()
	for i := range got {
		if fmt.Sprint(got[i]) != fmt.Sprint(got[0]) {
			t.Errorf("SIDs differ: %v, %v", got[i], got[0])
		}
	}
	if s.SIDs() != len(config.InitialSIDs)+len(contexts) {
		t.Errorf("%d SIDs", s.SIDs())
	}
}
