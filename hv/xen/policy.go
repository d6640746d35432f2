package xen

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"xsmbench/hv"
	"xsmbench/hv/policy"
	"xsmbench/hv/store"
	"xsmbench/hv/xen/kbuild"
	"xsmbench/hv/xen/source"
	"xsmbench/xsm/flask/policydb"
)

// readable are the versions of the format that Xen takes of a policy that was
// written for it (policydb_compat in xsm/flask/ss/policydb.c).
var readable = []uint32{24, 30}

// keepPolicy checks a build's policy and keeps it; it returns the policy's hash, ""
// if the build loads none.
func (t *Target) keepPolicy(ctx context.Context, b hv.Build, tree *source.Tree) (string, error) {
	if b.Unknown != "" && b.Unknown != "reject" {
		return "", fmt.Errorf("unknown permissions: Xen rejects a policy that lacks some, %q is not for it", b.Unknown)
	}
	if b.Policy == "" {
		return "", nil
	}
	words, err := vocabularyOf(tree)
	if err != nil {
		return "", err
	}
	s, err := t.store()
	if err != nil {
		return "", err
	}
	k, err := policy.Keep(ctx, s, b.Policy, policydb.Magic, func(text []byte) error { return words.check(text, b.Label) })
	if err != nil {
		return "", err
	}
	t.held.holdEntry(k.Entry)
	return k.Hash, nil
}

// check refuses a policy that Xen would refuse, or that does not have the label of
// domUs.
func (v vocabulary) check(text []byte, label string) error {
	db, err := policydb.Read(text)
	if err != nil {
		return err
	}
	if !db.ForSELinux() && !slices.Contains(readable, db.Version) {
		return fmt.Errorf("it is of version %d: Xen reads 24 and 30 (checkpolicy -t Xen -c 30)", db.Version)
	}
	if lacks := v.lacks(db); lacks != nil {
		return fmt.Errorf("this Xen asks for what it does not have, or has under another number: %s", strings.Join(lacks, "; "))
	}
	return checkLabel(db, label)
}

func checkLabel(db *policydb.DB, label string) error {
	if label == "" {
		return nil // the toolstack takes the initial SID domU
	}
	_, err := db.ParseContext(label)
	return err
}

// checkOwn checks a build's label against the policy in its image.
func checkOwn(b hv.Build, product *kbuild.Product) error {
	if b.Label == "" || b.Policy != "" {
		return nil
	}
	text, err := policy.Object(product.Syms, embedded)
	if err != nil {
		return err
	}
	db, err := policydb.Read(text)
	if err == nil {
		err = checkLabel(db, b.Label)
	}
	if err != nil {
		return fmt.Errorf("the policy of Xen's source: %w", err)
	}
	return nil
}

// embedded is the symbol of the policy in an image.
const embedded = "xsm_flask_init_policy"

// secured gives an image the policy, the label and the options of its build, which are
// part of what is measured.
func secured(img *hv.Image, hash string) {
	if hash != "" {
		img.Policy = hash
		img.Hash = string(store.KeyOf("image with policy", img.Hash, hash))
	}
	if img.Build.Label != "" {
		img.Hash = string(store.KeyOf("image with label", img.Hash, img.Build.Label))
	}
	if options := img.Build.Options; len(options) > 0 {
		img.Hash = string(store.KeyOf(append([]string{"image with options", img.Hash}, options...)...))
	}
}

// policyFile finds an image's policy in the store, "" if it loads none.
func (t *Target) policyFile(img *hv.Image) (string, error) {
	if img.Policy == "" {
		return "", nil
	}
	s, err := t.store()
	if err != nil {
		return "", err
	}
	k, err := policy.Find(s, img.Policy)
	if err != nil {
		return "", err
	}
	t.held.holdEntry(k.Entry)
	return k.Path(), nil
}

// policyOf is what an image enforces.
func (t *Target) policyOf(img *hv.Image) ([]byte, error) {
	path, err := t.policyFile(img)
	switch {
	case err != nil:
		return nil, err
	case path == "":
		return policy.Object(symsOf(img), embedded)
	}
	return os.ReadFile(path)
}

// ComparePolicies compares what two images enforce.
func (t *Target) ComparePolicies(_ context.Context, before, after *hv.Image) hv.PolicyChange {
	return policy.Of(before, after, t.policyOf)
}

// policyText says where an image's policy is from, what it is and how it is enforced.
func (t *Target) policyText(img *hv.Image, around *surroundings) string {
	if k, err := kindOf(img.Build); err != nil || !k.BuiltIn {
		return "none"
	}
	text, place := "that of Xen's source, built into the image", ""
	if img.Policy != "" {
		text, place = img.Build.Policy+", SHA-256 "+img.Policy, ", a boot module, which Xen takes before the one in the image"
	}
	if of, err := t.policyOf(img); err == nil {
		if db, err := policydb.Read(of); err == nil {
			text += " (" + policy.Describe(db) + ")"
		}
	}
	text += place + ", " + around.modeText(img.Build)
	if img.Build.Label != "" {
		text += "; domU labelled " + img.Build.Label
	}
	return text
}

// taken is Xen's line on the policy among the boot modules (xsm/xsm_policy.c).
var taken = regexp.MustCompile(`Policy len (0x[0-9a-f]+), start at`)

var errNotTaken = errors.New("no word of Xen's that it took it from the boot modules")

// checkTaken fails unless a console says that Xen took the policy that the start has.
func (s *start) checkTaken(console []byte) error {
	if s.policy == "" {
		return nil
	}
	info, err := os.Stat(s.policy)
	if err != nil {
		return err
	}
	if m := taken.FindSubmatch(console); m != nil {
		if n, err := strconv.ParseInt(string(m[1]), 0, 64); err == nil && n == info.Size() {
			return nil
		}
	}
	return errNotTaken
}

// mostDenials is how many of a policy's denials an error names.
const mostDenials = 3

// blame says of a machine's failure which policy of the user's it had, and what that
// denied last.
func (s *start) blame(console []byte, err error) error {
	if s.policy == "" {
		return err
	}
	err = fmt.Errorf("with policy %s: %w", s.img.Build.Policy, err)
	if list := slices.Compact(deniedIn(string(console))); len(list) > 0 {
		err = fmt.Errorf("%w; the policy denied: %s", err, strings.Join(list[max(0, len(list)-mostDenials):], "; "))
	}
	return err
}
