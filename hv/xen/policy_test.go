package xen

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xsmbench/hv"
	"xsmbench/hv/policy"
	"xsmbench/hv/xen/qemu"
	"xsmbench/hv/xen/source"
	own "xsmbench/xsm/flask/policy"
	"xsmbench/xsm/flask/policydb"
)

// flaskTree is a tree whose FLASK asks for what the words say, in the language of its
// files.
func flaskTree(t *testing.T, classes, vectors, sids string) *source.Tree {
	t.Helper()
	dir := t.TempDir()
	at := filepath.Join(dir, "xen", "xsm", "flask", "policy")
	if err := os.MkdirAll(at, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"security_classes": classes, "access_vectors": vectors, "initial_sids": sids} {
		if err := os.WriteFile(filepath.Join(at, name), []byte("# FLASK\n\n"+text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return &source.Tree{Dir: dir, Version: "4.17"}
}

// fitting is a tree that the model's policy fits.
func fitting(t *testing.T) (classes, vectors, sids string) {
	t.Helper()
	db, err := policydb.Read(own.Binary)
	if err != nil {
		t.Fatal(err)
	}
	for v := uint32(1); int(v) <= db.Classes.Len(); v++ {
		name, permissions := db.Classes.Name(v), &db.Classes.At(v).Permissions
		classes += "class " + name + "\n"
		vectors += "class " + name + "\n{\n"
		for p := uint32(1); int(p) <= permissions.Len(); p++ {
			vectors += "# what asks for it\n    " + permissions.Name(p) + "\n"
		}
		vectors += "}\n"
	}
	for _, s := range db.InitialSIDs {
		sids += fmt.Sprintf("sid name%d\n", s.SID)
	}
	return classes, vectors, sids
}

func TestVocabulary(t *testing.T) {
	classes, vectors, sids := fitting(t)
	for name, c := range map[string]struct {
		tree  *source.Tree
		label string
		want  string
	}{
		"fits":             {flaskTree(t, classes, vectors, sids), "", ""},
		"label":            {flaskTree(t, classes, vectors, sids), "system_u:vm_r:domU_t", ""},
		"no such label":    {flaskTree(t, classes, vectors, sids), "system_u:vm_r:domX_t", `invalid context "system_u:vm_r:domX_t": no type "domX_t"`},
		"no label of MLS":  {flaskTree(t, classes, vectors, sids), "system_u:vm_r:domU_t:s0", `invalid context "system_u:vm_r:domU_t:s0": want user:role:type`},
		"more permissions": {flaskTree(t, classes, strings.Replace(vectors, "class shadow\n{\n", "class shadow\n{\n clone { pin }\n", 1), sids), "", "shadow { clone "},
		"another class":    {flaskTree(t, classes+"class argo\n", vectors, sids), "", "class argo as number 10"},
		"another order":    {flaskTree(t, "class xen2\n"+classes, vectors, sids), "", "class xen2 as number 1; class xen as number 2; "},
		"more SIDs":        {flaskTree(t, classes, vectors, sids+"sid domDM\n"), "", "initial SID domDM"},
	} {
		words, err := vocabularyOf(c.tree)
		if err != nil {
			t.Fatal(err)
		}
		switch err := words.check(own.Binary, c.label); {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
	if _, err := vocabularyOf(&source.Tree{Dir: t.TempDir()}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("of a tree without FLASK: %v", err)
	}
	if _, err := vocabularyOf(flaskTree(t, "", "", "")); err == nil {
		t.Error("of a FLASK that asks for nothing: no error")
	}
}

// A policy is checked before anything is compiled, and named.
func TestKeepPolicy(t *testing.T) {
	target, tree := patientTarget(), flaskTree(t, "class argo\n", "class argo\n{\n send\n}\n", "sid xen\n")
	path := filepath.Join(t.TempDir(), "my.pol")
	if err := os.WriteFile(path, own.Binary, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		build hv.Build
		want  string
	}{
		"unfit":     {hv.Build{Policy: path}, "policy " + path + ": this Xen asks for what it does not have, or has under another number: class argo as number 1"},
		"no policy": {hv.Build{Policy: filepath.Join(tree.Dir, "xen/xsm/flask/policy/initial_sids")}, "it does not begin with the magic number"},
		"unknown":   {hv.Build{Unknown: "allow"}, `Xen rejects a policy that lacks some, "allow" is not for it`},
	} {
		if _, err := target.keepPolicy(t.Context(), c.build, tree); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
	if hash, err := target.keepPolicy(t.Context(), hv.Build{}, tree); hash != "" || err != nil {
		t.Errorf("without a policy: %q, %v", hash, err)
	}
	kept, err := target.keepPolicy(t.Context(), hv.Build{Policy: path}, flaskTree(t, "class xen\n", "", "sid xen\n"))
	if err != nil || kept != policy.Hash(own.Binary) {
		t.Errorf("kept %q, %v", kept, err)
	}
	if text, err := target.policyOf(&hv.Image{Policy: kept}); err != nil || len(text) != len(own.Binary) {
		t.Errorf("kept %d bytes, %v", len(text), err)
	}
}

// startedWith is a start with the model's policy as a boot module.
func startedWith(t *testing.T, play scenario) *start {
	t.Helper()
	s := started(t, "flask", qemu.ICount, play)
	s.img.Build.Policy = "/home/me/my.pol"
	s.policy = filepath.Join(filepath.Dir(s.img.Path), "policy")
	if err := os.WriteFile(s.policy, own.Binary, 0o644); err != nil {
		t.Fatal(err)
	}
	before := s.key
	if s.key = s.hash("QEMU emulator version 7.2.0"); s.key == before {
		t.Error("a policy does not decide the snapshot")
	}
	return s
}

// The policy is the last boot module, and Xen says that it took it.
func TestPolicyIsModule(t *testing.T) {
	t.Parallel()
	s := startedWith(t, scenario{})
	if got, err := whole(context.Background(), patientTarget(), s, spec()); err != nil || len(got) != 5 {
		t.Errorf("%d samples, %v", len(got), err)
	}
}

// A Xen that took another policy than it should is not measured, and a failure with a
// policy of the user's names it and what it denied last.
func TestPolicyIsBlamed(t *testing.T) {
	t.Parallel()
	for boot, want := range map[string]string{
		"policy not taken": "with policy /home/me/my.pol: no word of Xen's that it took it from the boot modules",
		"denied":           "with policy /home/me/my.pol: dom0's agent gave up: create domU: permission denied; the policy denied: create domid=0 scontext=system_u:system_r:dom0_t tcontext=system_u:system_r:domU_t tclass=domain",
	} {
		_, err := whole(context.Background(), patientTarget(), startedWith(t, scenario{Boot: boot}), spec())
		checkFailure(t, err, failure{scenario{}, hv.GuestFailed, want})
	}
}
