package experiment

import (
	"context"
	"fmt"

	"xsmbench/bench"
	"xsmbench/hv"
	"xsmbench/results"
)

// variant is a boot with domUs of one kind. Where a run measures several kinds, each of
// its boots consists of as many, one after the other.
type variant struct {
	hv.BootSpec
	sampled string // the kind as samples name it
	apart   bool   // there are others
}

// variants are what a boot of a spec consists of.
func variants(s results.Spec) []variant {
	first := variant{BootSpec: bootSpec(s), sampled: s.SampleDomUs()[0], apart: len(s.MoreDomUs) > 0}
	all := []variant{first}
	for _, kind := range s.MoreDomUs {
		v := first
		v.DomU, v.sampled = kind, kind
		all = append(all, v)
	}
	return all
}

// measure boots an image, measures and stops it.
func (v variant) measure(ctx context.Context, t hv.Target, img *hv.Image, emit func(bench.Measurement) error) (err error) {
	if v.apart && v.Console != nil {
		fmt.Fprintf(v.Console, "[xsmbench] with domUs of kind %s:\n", v.DomU)
	}
	m, err := t.Boot(ctx, img, v.BootSpec)
	if err != nil {
		return err
	}
	defer func() {
		if e := m.Close(); e != nil && err == nil {
			err = fmt.Errorf("stop %s: %w", img.Build.Name, e)
		}
	}()
	return m.Measure(ctx, func(s bench.Measurement) error {
		s.DomU = v.sampled
		return emit(s)
	})
}
