package xen

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"xsmbench/hv/xen/source"
	"xsmbench/xsm/flask/policydb"
)

// vocabulary is what the FLASK of a tree asks a policy for. Xen goes by numbers, and
// refuses a policy that has other names for them (validate_classes in
// xsm/flask/ss/services.c).
type vocabulary struct {
	classes []flaskClass // numbered from 1
	sids    []string     // the initial SIDs, likewise
}

type flaskClass struct {
	name        string
	permissions []string // numbered from 1
}

// vocabularyOf reads a tree's.
func vocabularyOf(tree *source.Tree) (vocabulary, error) {
	var v vocabulary
	words := map[string][]string{}
	for _, name := range []string{"security_classes", "access_vectors", "initial_sids"} {
		text, err := os.ReadFile(filepath.Join(tree.Dir, "xen", "xsm", "flask", "policy", name))
		if err != nil {
			return v, fmt.Errorf("read what FLASK asks a policy for: %w", err)
		}
		words[name] = flaskWords(string(text))
	}
	v.sids = after("sid", words["initial_sids"])
	permissions := vectors(words["access_vectors"])
	for _, class := range after("class", words["security_classes"]) {
		v.classes = append(v.classes, flaskClass{class, permissions[class]})
	}
	if len(v.classes) == 0 || len(v.sids) == 0 {
		return v, fmt.Errorf("read what FLASK asks a policy for: %s names no classes or no initial SIDs", tree.Version)
	}
	return v, nil
}

// flaskWords are a file's words without comments, with braces apart.
func flaskWords(text string) []string {
	var words []string
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		words = append(words, strings.Fields(strings.NewReplacer("{", " { ", "}", " } ").Replace(line))...)
	}
	return words
}

// after are the words that follow a keyword.
func after(keyword string, words []string) []string {
	var all []string
	for i := 1; i < len(words); i++ {
		if words[i-1] == keyword {
			all = append(all, words[i])
		}
	}
	return all
}

// vectors are the permissions of each class.
func vectors(words []string) map[string][]string {
	all := map[string][]string{}
	class, within := "", false
	for i, w := range words {
		switch {
		case w == "{" || w == "}":
			within = w == "{"
		case within:
			all[class] = append(all[class], w)
		case i > 0 && words[i-1] == "class":
			class = w
		}
	}
	return all
}

// lacks lists all that a policy lacks, or has under another number.
func (v vocabulary) lacks(db *policydb.DB) []string {
	var all []string
	for i, c := range v.classes {
		all = append(all, c.lacks(db, uint32(i+1))...)
	}
	there := map[uint32]bool{}
	for _, s := range db.InitialSIDs {
		there[s.SID] = true
	}
	for i, name := range v.sids {
		if !there[uint32(i+1)] {
			all = append(all, "initial SID "+name)
		}
	}
	return all
}

func (c flaskClass) lacks(db *policydb.DB, number uint32) []string {
	if db.Classes.Name(number) != c.name {
		return []string{fmt.Sprintf("class %s as number %d", c.name, number)}
	}
	var missing []string
	has := &db.Classes.At(number).Permissions
	for i, p := range c.permissions {
		if has.Name(uint32(i+1)) != p {
			missing = append(missing, p)
		}
	}
	if missing == nil {
		return nil
	}
	return []string{fmt.Sprintf("%s { %s }", c.name, strings.Join(missing, " "))}
}
