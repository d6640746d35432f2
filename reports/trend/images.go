package trend

import (
	"slices"
	"strings"
)

// Images is a list of images, by its number: points that have the same measured the
// same. 0 is none that is known.
type Images int32

// imageLists are lists of images, each once: most series of a run have the same.
type imageLists struct {
	lists  [][]string
	number map[string]Images
	last   Images
}

func newImageLists() *imageLists {
	return &imageLists{lists: [][]string{nil}, number: map[string]Images{"": 0}}
}

// of is the number of a list. It puts the list into order.
func (l *imageLists) of(images []string) Images {
	slices.Sort(images)
	if slices.Equal(images, l.lists[l.last]) {
		return l.last
	}
	k := strings.Join(images, " ")
	n, ok := l.number[k]
	if !ok {
		n = Images(len(l.lists))
		l.number[k] = n
		l.lists = append(l.lists, slices.Clone(images))
	}
	l.last = n
	return n
}

// both are the images of two lists, none if those of one are not known.
func (l *imageLists) both(a, b Images) Images {
	if a == 0 || b == 0 {
		return 0
	}
	return l.of(slices.Concat(l.lists[a], l.lists[b]))
}

// ImagesOf are the hashes of the images that a point is of.
func (t *Trends) ImagesOf(p Point) []string { return t.images.lists[p.Images] }
