package compare

import (
	"strings"
	"testing"
)

// What runs in domUs of one kind is not compared with what runs in another's.
func TestDomUsAreApart(t *testing.T) {
	s := new(set).add("native", "A/b", "ns/op", 100, 101).add("dummy", "A/b", "ns/op", 110, 111).
		add("native", "A/c", "ns/op", 100, 101).add("dummy", "A/c", "ns/op", 110, 111)
	for i := range s.samples {
		if s.samples[i].Build == "dummy" {
			s.samples[i].DomU, s.samples[i].Idle = "pvh", 3
		}
	}
	c := compareSet(t, s, Options{})
	text := strings.Join(Texts(c.Warnings), "\n")
	if len(c.Rows) != 0 || !strings.Contains(text, "2 benchmarks in model amd64 domu=pvh idle=3 dom0: native has no sample of any, so nothing is compared") {
		t.Errorf("%d rows, %s", len(c.Rows), text)
	}
}
