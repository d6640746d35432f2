package xsm

import (
	"reflect"
	"testing"

	"xsmbench/abi"
	"xsmbench/xsm/hook"
)

// arguments makes values for a hook's parameters that tell them apart. The
// current domain may do everything.
func arguments(f reflect.Type) []reflect.Value {
	var in []reflect.Value
	for i := range f.NumIn() {
		v := reflect.New(f.In(i)).Elem()
		switch v.Kind() {
		case reflect.Pointer:
			v.Set(reflect.New(f.In(i).Elem()))
			if cur, ok := v.Interface().(*VCPU); ok {
				cur.Domain = &Domain{Privileged: true}
			}
		case reflect.Int:
			v.SetInt(int64(100 + i))
		default:
			v.SetUint(uint64(100 + i))
		}
		in = append(in, v)
	}
	return in
}

// dummyResult is what Xen's dummy module returns for a hook.
func dummyResult(h hook.Hook) any {
	switch h.Result {
	case "abi.Errno":
		return abi.Errno(0)
	case "int64":
		return -int64(abi.ENOSYS)
	}
	return nil
}

func results(out []reflect.Value) any {
	if len(out) == 0 {
		return nil
	}
	return out[0].Interface()
}

// The structure, the names, the wrappers and the table of hooks are in step.
func TestOrder(t *testing.T) {
	members := reflect.TypeFor[Operations]()
	if members.NumField() != NrHooks || len(hook.Table) != NrHooks {
		t.Fatalf("%d members, %d hooks in the table, NrHooks %d", members.NumField(), len(hook.Table), NrHooks)
	}
	for i, h := range hook.Table {
		id := HookID(i)
		if members.Field(i).Name != h.Go || id.String() != h.Name {
			t.Errorf("hook %d is %s %s, its member %s, its name %s", i, h.Name, h.Go, members.Field(i).Name, id)
		}
		if found, ok := Lookup(h.Name); !ok || found != id {
			t.Errorf("Lookup(%s) = %d, %v", h.Name, found, ok)
		}
		if reflect.TypeOf(wrappers[i]) != members.Field(i).Type {
			t.Errorf("%s: wrapper is %T, member %v", h.Name, wrappers[i], members.Field(i).Type)
		}
	}
	if _, ok := Lookup("no_such_hook"); ok {
		t.Error("Lookup finds a hook that does not exist")
	}
}

// Every wrapper answers as the dummy does, whether the build folds it, inlines
// it, or calls it directly or through the table.
func TestWrappersAnswerAsTheDummy(t *testing.T) {
	withDummy(t)
	for i, h := range hook.Table {
		w := reflect.ValueOf(wrappers[i])
		if got := results(w.Call(arguments(w.Type()))); got != dummyResult(h) {
			t.Errorf("%s = %v, want %v", h.Name, got, dummyResult(h))
		}
	}
}

// With the framework every wrapper hands its arguments in order to the
// member of its own name and returns what that returns; without it a
// registered module is never asked.
func TestWrappersCallTheModule(t *testing.T) {
	for i, h := range hook.Table {
		useDummy()
		m := &Operations{}
		member := reflect.ValueOf(m).Elem().Field(i)
		in := arguments(member.Type())
		var seen []reflect.Value
		member.Set(reflect.MakeFunc(member.Type(), func(args []reflect.Value) []reflect.Value {
			seen = args
			if h.Result == "" {
				return nil
			}
			v := reflect.New(member.Type().Out(0)).Elem()
			v.SetInt(-77)
			return []reflect.Value{v}
		}))
		if rc := Register(m); rc != 0 {
			t.Fatal(rc)
		}
		out := reflect.ValueOf(wrappers[i]).Call(in)
		if !viaTable {
			if seen != nil || results(out) != dummyResult(h) {
				t.Errorf("%s: a build without a table asked the module", h.Name)
			}
			continue
		}
		if len(seen) != len(in) {
			t.Errorf("%s: the module saw %d arguments, want %d", h.Name, len(seen), len(in))
			continue
		}
		for k := range in {
			if seen[k].Interface() != in[k].Interface() {
				t.Errorf("%s: argument %d is %v, want %v", h.Name, k, seen[k], in[k])
			}
		}
		if h.Result != "" && out[0].Int() != -77 {
			t.Errorf("%s = %v, want the module's -77", h.Name, out[0])
		}
	}
	useDummy()
}

func TestCounts(t *testing.T) {
	withDummy(t)
	ResetCounts()
	for n, w := range wrappers {
		v := reflect.ValueOf(w)
		for range n%3 + 1 {
			v.Call(arguments(v.Type()))
		}
	}
	for i, n := range Counts() {
		want := uint64(i%3 + 1)
		if !Counting {
			want = 0
		}
		if n != want {
			t.Errorf("%v: counted %d calls, want %d", HookID(i), n, want)
		}
	}
	ResetCounts()
	if Counts() != [NrHooks]uint64{} {
		t.Error("ResetCounts leaves counts")
	}
}
