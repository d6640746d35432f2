package xsm

import (
	"reflect"
	"testing"

	"xsmbench/abi"
)

// withDummy puts the dummy in use for a test, and again after it.
func withDummy(t testing.TB) {
	t.Helper()
	useDummy()
	t.Cleanup(useDummy)
}

func TestRegisterAndUnregister(t *testing.T) {
	a, b := &Operations{}, &Operations{}
	type step struct {
		call string
		ops  *Operations
		want abi.Errno
		then *Operations // the table in use afterwards
	}
	tests := map[string][]step{
		"no table": {
			{"register", nil, -abi.EINVAL, &dummyOperations},
			{"unregister", nil, -abi.EINVAL, &dummyOperations},
		},
		"one module comes and goes": {
			{"register", a, 0, a},
			{"unregister", a, 0, &dummyOperations},
			{"unregister", a, -abi.EINVAL, &dummyOperations},
		},
		"a second module has to wait": {
			{"register", a, 0, a},
			{"register", b, -abi.EAGAIN, a},
			{"unregister", b, -abi.EINVAL, a},
			{"unregister", a, 0, &dummyOperations},
			{"register", b, 0, b},
		},
		"the same module twice": {
			{"register", a, 0, a},
			{"register", a, -abi.EAGAIN, a},
		},
		"a module that was never registered": {
			{"unregister", a, -abi.EINVAL, &dummyOperations},
		},
		"no table beside a module": {
			{"register", a, 0, a},
			{"register", nil, -abi.EINVAL, a},
			{"unregister", nil, -abi.EINVAL, a},
		},
	}
	calls := map[string]func(*Operations) abi.Errno{"register": Register, "unregister": Unregister}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			withDummy(t)
			for i, s := range steps {
				if got := calls[s.call](s.ops); got != s.want {
					t.Fatalf("step %d: %s = %v, want %v", i, s.call, got, s.want)
				}
				if ops.Load() != s.then {
					t.Fatalf("step %d: after %s another table is in use", i, s.call)
				}
			}
		})
	}
}

// Xen verifies a table, and so completes it, before it looks whether another
// module is there.
func TestRefusedTableIsCompletedAllTheSame(t *testing.T) {
	withDummy(t)
	if rc := Register(&Operations{}); rc != 0 {
		t.Fatal(rc)
	}
	late := &Operations{}
	if rc := Register(late); rc != -abi.EAGAIN {
		t.Fatalf("second module: %v", rc)
	}
	if left := missing(late); len(left) != 0 {
		t.Errorf("left nil: %v", left)
	}
}

// missing lists the members of o that are nil, by reflection.
func missing(o *Operations) (ids []HookID) {
	v := reflect.ValueOf(o).Elem()
	for i := range v.NumField() {
		if v.Field(i).IsNil() {
			ids = append(ids, HookID(i))
		}
	}
	return ids
}

func TestFixupReportsWhatItReplaced(t *testing.T) {
	for _, id := range []HookID{0, HookEvtchnSend, HookDoXSMOp, NrHooks - 1} {
		// A module that lacks this hook only.
		o := dummyOperations
		fixup(&o)
		reflect.ValueOf(&o).Elem().Field(int(id)).SetZero()
		if got := fixup(&o); len(got) != 1 || got[0] != id {
			t.Errorf("without %v: fixup replaced %v", id, got)
		}
		// And one that has this hook only.
		one := Operations{}
		filled := reflect.ValueOf(&dummyOperations).Elem().Field(int(id))
		reflect.ValueOf(&one).Elem().Field(int(id)).Set(filled)
		got := fixup(&one)
		if len(got) != NrHooks-1 {
			t.Errorf("with %v only: fixup replaced %d hooks, want %d", id, len(got), NrHooks-1)
		}
		for _, r := range got {
			if r == id {
				t.Errorf("fixup replaced %v, which the module had", id)
			}
		}
		if left := missing(&one); len(left) != 0 {
			t.Errorf("left nil: %v", left)
		}
	}
}

func TestPartialModuleKeepsItsOwnHooks(t *testing.T) {
	withDummy(t)
	m := &Operations{EvtchnSend: func(*VCPU, *Domain, *Evtchn) abi.Errno { return -abi.EACCES }}
	if rc := Register(m); rc != 0 {
		t.Fatal(rc)
	}
	if rc := ops.Load().EvtchnSend(nil, nil, nil); rc != -abi.EACCES {
		t.Errorf("the module's hook returns %v", rc)
	}
	if rc := ops.Load().EvtchnStatus(nil, nil, nil); rc != 0 {
		t.Errorf("the dummy's hook returns %v", rc)
	}
}
