package policy

import (
	"fmt"

	"xsmbench/hv"
	"xsmbench/xsm/flask/policydb"
)

// shown is how many statements of a sort a comparison holds.
const shown = 10

// Of compares the policies of two images, which text returns.
func Of(before, after *hv.Image, text func(*hv.Image) ([]byte, error)) hv.PolicyChange {
	var texts [2][]byte
	for i, img := range []*hv.Image{before, after} {
		var err error
		if texts[i], err = text(img); err != nil {
			return hv.PolicyChange{Unknown: err.Error()}
		}
	}
	return Compare(texts[0], texts[1])
}

// Compare says what differs between two policies.
func Compare(before, after []byte) hv.PolicyChange {
	var dbs [2]*policydb.DB
	for i, text := range [][]byte{before, after} {
		var err error
		if dbs[i], err = policydb.Read(text); err != nil {
			return hv.PolicyChange{Unknown: err.Error()}
		}
	}
	was, is := dbs[0], dbs[1]
	var c hv.PolicyChange
	if was.Version != is.Version {
		c.Parts = append(c.Parts, hv.PolicyPart{What: "version", Before: fmt.Sprint(was.Version), After: fmt.Sprint(is.Version)})
	}
	if was.MLS != is.MLS {
		c.Parts = append(c.Parts, hv.PolicyPart{What: "MLS", Before: onOff(was.MLS), After: onOff(is.MLS)})
	}
	old := was.Entries()
	for i, s := range is.Entries() {
		if p := part(s.Name, old[i].Entries, s.Entries); p.Added+p.Removed > 0 {
			c.Parts = append(c.Parts, p)
		}
	}
	return c
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// part compares what two policies say of one sort.
func part(what string, before, after []policydb.Entry) hv.PolicyPart {
	gone, added := policydb.Statements(without(before, after)), policydb.Statements(without(after, before))
	return hv.PolicyPart{What: what, Added: len(added), Removed: len(gone), New: first(added), Gone: first(gone)}
}

// without are the entries that another list does not have.
func without(list, other []policydb.Entry) []policydb.Entry {
	there := map[policydb.Entry]bool{}
	for _, e := range other {
		there[e] = true
	}
	var all []policydb.Entry
	for _, e := range list {
		if !there[e] {
			all = append(all, e)
		}
	}
	return all
}

func first(list []string) []string { return list[:min(len(list), shown)] }
