package number

import (
	"math"
	"testing"
)

func TestNumbers(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{Percent(0.0126, 2), "1.26%"},
		{Percent(-0.5, 0), "−50%"},
		{Percent(-0.00001, 2), "0.00%"},
		{Percent(math.NaN(), 2), "–"},
		{Percent(math.Inf(1), 2), "–"},
		{SignedPercent(0.0126, 1), "+1.3%"},
		{SignedPercent(-0.0126, 1), "−1.3%"},
		{SignedPercent(-0.0004, 1), "0.0%"},
		{SignedPercent(0.0004, 1), "0.0%"},
		{SignedPercent(math.NaN(), 1), "–"},
		{Signed(0.3, 0), "+30"},
		{Share(0.01, 3), "1%"},
		{Share(0.012345, 3), "1.23%"},
		{Share(math.Inf(1), 3), "any share"},
		{Rough(7), "7"},
		{Rough(99), "99"},
		{Rough(101), "110"},
		{Rough(4321), "4400"},
		{Count(1, "row"), "1 row"},
		{Count(0, "row"), "0 rows"},
		{Count(12, "row"), "12 rows"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}
