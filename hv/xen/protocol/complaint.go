package protocol

import "strings"

// more begins the further lines of a complaint.
const more = "| "

// Complaint is what a program of a domain writes to its console when it gives up:
// a prefix and a text, whose further lines are marked.
func Complaint(prefix, text string) string {
	return prefix + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n"+more) + "\n"
}

// FindComplaint finds the last complaint of a prefix on a console. Lines of others,
// as the hypervisor's, may be between its lines.
func FindComplaint(console, prefix string) (text string, ok bool) {
	i := strings.LastIndex(console, prefix)
	if i < 0 {
		return "", false
	}
	first, rest, _ := strings.Cut(console[i+len(prefix):], "\n")
	lines := []string{strings.TrimSpace(first)}
	for line := range strings.Lines(rest) {
		if line, ok := strings.CutPrefix(line, more); ok {
			lines = append(lines, strings.TrimRight(line, "\r\n"))
		}
	}
	return strings.Join(lines, "\n"), true
}
