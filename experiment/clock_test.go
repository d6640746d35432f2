package experiment

import (
	"testing"
	"time"
)

// A boot that was measured ahead of its turn has a turn of no length; what it took
// counts all the same, as its share of a machine on which two were under way.
func TestClockOfEarlyBoots(t *testing.T) {
	c := newClock(8, 10, 2)
	c.start()
	c.launched = time.Now().Add(-time.Minute)
	c.sample()
	if left := c.now().Left; left < 30*time.Second {
		t.Errorf("%v left while the first of eight boots lands", left)
	}
	c.stop(time.Minute)
	if left := c.now().Left; left < 3*time.Minute || left > 4*time.Minute {
		t.Errorf("%v left after a boot of a minute, two at a time, with seven to go", left)
	}
}

func TestClock(t *testing.T) {
	c := newClock(10, 4, 1)
	c.counted, c.done, c.busy = 2, 2, 20*time.Second
	if p := c.now(); p.Left != 80*time.Second || p.SamplesDone != 8 || p.Samples != 40 {
		t.Errorf("after two boots of ten: %+v", p)
	}
	c.skip()
	if p := c.now(); p.Left != 70*time.Second {
		t.Errorf("one left out: %+v", p)
	}
}
