package ss

import (
	"fmt"
	"testing"

	own "xsmbench/xsm/flask/policy"
	"xsmbench/xsm/flask/policydb"
)

// ownConfig is that of a hypervisor that asks for all that a policy has.
func ownConfig(db *policydb.DB) Config {
	cfg := Config{Unlabeled: 1}
	for v := uint32(1); int(v) <= db.Classes.Len(); v++ {
		c := Class{Name: db.Classes.Name(v)}
		perms := &db.Classes.At(v).Permissions
		for n := uint32(1); int(n) <= perms.Len(); n++ {
			c.Permissions = append(c.Permissions, perms.Name(n))
		}
		cfg.Classes = append(cfg.Classes, c)
		if c.Name == "domain" {
			cfg.DomainClass, cfg.Transition = uint16(v), 1<<(perms.Value("transition")-1)
		}
	}
	for i := range db.InitialSIDs {
		cfg.InitialSIDs = append(cfg.InitialSIDs, fmt.Sprint(i))
	}
	return cfg
}

// TestMatrix: what the matrix has for all types and classes of the project's
// policy is what the rules add up to.
func TestMatrix(t *testing.T) {
	p := ownPolicy(t)
	n := uint32(p.db.Types.Len())
	compared, something := 0, 0
	for class := 1; class < len(p.classes); class++ {
		m := &p.classes[class]
		for source := uint32(1); source <= n; source++ {
			for target := uint32(1); target <= n; target++ {
				r := p.matrix.find(source, uint16(class), target)
				if r == nil {
					t.Fatalf("no row for type %d, class %d", source, class)
				}
				v := p.typeEnforcement(&policydb.Context{Type: source}, &policydb.Context{Type: target}, m.own.value)
				want := rights{m.own.vector(v.Allowed), m.own.vector(v.AuditAllow), ^m.own.vector(^v.AuditDeny)}
				if *r != want {
					t.Fatalf("types %d and %d, class %d: %+v, want %+v", source, target, class, *r, want)
				}
				compared++
				if want != noRights {
					something++
				}
			}
		}
	}
	if something < 100 {
		t.Errorf("%d of %d elements have rights", something, compared)
	}
	t.Logf("%d of %d elements have rights; %d types, %d classes: %d bytes for %d of the policy, %d distinct elements", something, compared, n, len(p.classes)-1, p.matrix.bytes(), len(own.Binary), len(p.matrix.rights))
	if most := 8 * len(own.Binary); p.matrix.bytes() > most {
		t.Errorf("%d bytes, want at most %d", p.matrix.bytes(), most)
	}
}

// TestMatrixBounds: beyond a bound there are no rows, and decisions are the same.
func TestMatrixBounds(t *testing.T) {
	for _, c := range []struct {
		name   string
		bounds bounds
		rows   bool // some are made
	}{
		{"cells", bounds{cells: 400, rights: 1 << 16, effort: 1 << 22}, true},
		{"rights", bounds{cells: 1 << 20, rights: 3, effort: 1 << 22}, true},
		{"effort", bounds{cells: 1 << 20, rights: 1 << 16, effort: 3000}, true},
		{"nothing", bounds{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := ownPolicy(t)
			s := New(Config{})
			s.cfg, s.state = ownConfig(p.db), state{policy: p}
			s.publish()
			ask := func() (all []Decision) {
				for class := range s.cfg.Classes {
					for source := range p.db.InitialSIDs {
						for target := range p.db.InitialSIDs {
							d, err := s.ComputeAV(SID(source+1), SID(target+1), uint16(class+1))
							if err != nil {
								t.Fatal(err)
							}
							all = append(all, d)
						}
					}
				}
				return all
			}
			want := ask()
			p.matrix = newMatrix(p, c.bounds)
			made, missing := 0, 0
			for _, row := range p.matrix.rows {
				if row == noRow {
					missing++
				} else {
					made++
				}
			}
			if missing == 0 || (made > 0) != c.rows {
				t.Errorf("%d rows made, %d not", made, missing)
			}
			if len(p.matrix.cells) > c.bounds.cells || len(p.matrix.rights) > c.bounds.rights {
				t.Errorf("%d cells, %d distinct elements", len(p.matrix.cells), len(p.matrix.rights))
			}
			for i, d := range ask() {
				if d != want[i] {
					t.Fatalf("decision %d is %+v, with all rows %+v", i, d, want[i])
				}
			}
		})
	}
}

// ownPolicy is the project's, for a hypervisor that asks for all it has.
func ownPolicy(t *testing.T) *policy {
	t.Helper()
	s := New(ownConfig(readOwn(t)))
	if _, err := s.Load(own.Binary); err != nil {
		t.Fatal(err)
	}
	return s.policy
}

func readOwn(t *testing.T) *policydb.DB {
	t.Helper()
	db, err := policydb.Read(own.Binary)
	if err != nil {
		t.Fatal(err)
	}
	return db
}
