package ss_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"xsmbench/internal/require"
	"xsmbench/xsm/flask/policydb"
	"xsmbench/xsm/flask/ss"
)

// mutations are tried of each file.
const mutations = 200

// TestOracleFiles compares decisions and transitions by the policies that
// XSMBENCH_POLICY lists, such as Xen's own, with libsepol's, and lets both read them with flipped bits. hv/xen/realtest makes Xen's
// own, with levels and without, and runs it with them.
func TestOracleFiles(t *testing.T) {
	files := filepath.SplitList(require.Given(t, "XSMBENCH_POLICY", "policies, such as Xen's own, as FILE:FILE"))
	oracle := buildOracle(t)
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			pol, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			db, err := policydb.Read(pol)
			if err != nil {
				t.Fatal(err)
			}
			g := ofPolicy(db)
			s := ss.New(g.inOrder())
			if _, err := s.Load(pol); err != nil {
				t.Fatal(err)
			}
			n := 1 + int(math.Sqrt(tuples/float64(len(g.classes))))
			contexts := someContexts(s, db, n)
			if len(contexts) < 40 {
				require.Missing(t, fmt.Sprintf("a policy with more contexts than %d", len(contexts)))
			}
			g.compareAll(t, oracle, pol, s, contexts)
			mutate(t, oracle, pol, g.r, mutations)
		})
	}
}

// ofPolicy describes a policy as if it were a generated one.
func ofPolicy(db *policydb.DB) *generated {
	g := &generated{source: "(of the file)", r: rand.New(rand.NewPCG(3, 4))}
	for v := uint32(1); int(v) <= db.Classes.Len(); v++ {
		c := ss.Class{Name: db.Classes.Name(v)}
		perms := &db.Classes.At(v).Permissions
		for n := uint32(1); int(n) <= perms.Len(); n++ {
			c.Permissions = append(c.Permissions, perms.Name(n))
		}
		g.classes = append(g.classes, c)
	}
	for i := range db.InitialSIDs {
		g.sids = append(g.sids, fmt.Sprint("sid", i))
	}
	return g
}

// inOrder is of a hypervisor that numbers classes and permissions as the policy.
func (g *generated) inOrder() ss.Config {
	cfg := ss.Config{Classes: g.classes, InitialSIDs: g.sids, Unlabeled: 1}
	for i, c := range g.classes {
		if c.Name == "domain" {
			cfg.DomainClass, cfg.Transition = uint16(i+1), 1<<slices.Index(c.Permissions, "transition")
		}
	}
	return cfg
}

// someContexts are random ones that the policy allows, n if it has as many, of all its users,
// roles and types, with few levels.
func someContexts(s *ss.Server, db *policydb.DB, n int) []string {
	r := rand.New(rand.NewPCG(5, 6))
	levels := []string{""}
	if db.MLS {
		levels = []string{":s0", ":s0", ":s1:c1,c3", ":s0-s2:c0.c5", ":s3:c70", ":s0-s15:c0.c255"}
	}
	var list []string
	seen := make(map[string]bool)
	for range 40 * n {
		c := db.Users.Name(1+r.Uint32N(uint32(db.Users.Len()))) + ":" + db.Roles.Name(1+r.Uint32N(uint32(db.Roles.Len()))) +
			":" + db.Types.Name(1+r.Uint32N(uint32(db.Types.Len()))) + levels[r.IntN(len(levels))]
		if _, err := s.ContextToSID(c); err == nil && !seen[c] && len(list) < n {
			seen[c] = true
			list = append(list, c)
		}
	}
	return list
}

// compareAll asks server and oracle about all pairs of contexts and all classes,
// source by source, so that the questions take little memory.
func (g *generated) compareAll(t *testing.T, oracle string, pol []byte, s *ss.Server, contexts []string) {
	cfg := g.inOrder()
	for _, source := range contexts {
		var questions bytes.Buffer
		var mine []string
		for _, target := range contexts {
			for class, c := range g.classes {
				fmt.Fprintf(&questions, "v %s %s %d %x\nt %s %s %d\n", source, target, class+1, uint32(1<<len(c.Permissions)-1), source, target, class+1)
				mine = append(mine, g.vectors(t, s, cfg, source, target, class), transition(t, s, source, target, class))
			}
		}
		g.judge(t, questions.Bytes(), mine, ask(t, oracle, pol, questions.Bytes()))
		if t.Failed() {
			return
		}
	}
	t.Logf("%d tuples of %d contexts: decisions and transitions", len(contexts)*len(contexts)*len(g.classes), len(contexts))
}
