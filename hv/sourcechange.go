package hv

import "context"

// SourceChange is what differs between the sources of two images.
type SourceChange struct {
	// Files are those that differ, by path; of many only the first.
	Files []FileChange `json:"files,omitempty"`
	// Changed counts all of them, Added and Removed their lines.
	Changed int `json:"changed"`
	Added   int `json:"added"`
	Removed int `json:"removed"`
	// Unknown says why none of this is known, "" if it is.
	Unknown string `json:"unknown,omitempty"`
}

// FileChange is a file that differs.
type FileChange struct {
	Path  string    `json:"path"` // with slashes
	State FileState `json:"state,omitempty"`
	// Added and Removed are lines, of a text.
	Added   int `json:"added"`
	Removed int `json:"removed"`
	// Functions are those that the lines are in, as far as the text shows it.
	Functions []string `json:"functions,omitempty"`
}

// FileState says what became of a file, "" if it is there before and after.
type FileState string

// States.
const (
	FileNew    FileState = "new"
	FileGone   FileState = "gone"
	FileBinary FileState = "binary" // there before and after, and no text
)

// SourceComparer is a target that can tell what differs between the sources of two
// of the images that it has built.
type SourceComparer interface {
	CompareSources(ctx context.Context, before, after *Image) SourceChange
}
