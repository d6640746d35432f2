package lmbench

import "testing"

// TestNumber: what getsummary's num writes, without the space around it.
func TestNumber(t *testing.T) {
	for _, c := range []struct {
		v     float64
		width int
		want  string
	}{
		{-1, 4, ""}, {0, 4, ""}, {0.1344, 4, "0.13"}, {9.996, 4, "10.00"[:4]}, {12.34, 4, "12.3"}, {123.45, 4, "123."},
		{1234.56, 4, "1234"}, {12345.6, 4, "12.K"}, {12345.6, 6, "12.3K"}, {1234567, 6, "1234.K"}, {12345678, 6, "12.3M"}, {999400, 4, "999K"}, {1254026, 4, "1.3M"},
		{0.0004, 6, "4e-04"}, {5.754, 5, "5.754"}, {1.95, 6, "1.9500"},
	} {
		if got := number(c.v, c.width); got != c.want {
			t.Errorf("%v in %d columns: %q, want %q", c.v, c.width, got, c.want)
		}
	}
}
