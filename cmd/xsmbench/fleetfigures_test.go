package main

import (
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"xsmbench/experiment"
	"xsmbench/experiment/fleetsim"
	"xsmbench/hv"
)

var updateFleet = flag.Bool("fleet.update", false, "write the figures of docs/fleet.md anew")

// fleetDocs is where the figures stand, between two marks.
const (
	fleetDocs   = "../../docs/fleet.md"
	fleetMark   = "<!-- make bench-fleet prints what follows -->\n"
	fleetUnmark = "<!-- and what stands above -->\n"
)

// fleetCosts are what was measured of a fleet's transfers: the store's objects for two
// builds of the real Xen are 182 MiB, of which an image has 12 MB for Xen and 51 MB for
// its snapshot. Bandwidths are those of a store behind 1 Gbit/s, and of machines with as
// much each. How often machines die is an assumption, and Slurm's two minutes are part of
// the delay.
var fleetCosts = fleetsim.Costs{Base: 65e6, Image: 63e6, Machine: 125e6, Store: 125e6, Delay: 3 * time.Minute}

// fleetPlanOf is the plan of some revisions of Xen, each in some kinds of builds, with the
// whole suite and two rounds. Its costs are those that the target documents.
func fleetPlanOf(revisions int, kinds ...string) (*experiment.Plan, error) {
	t, spec, err := experiment.Question{Inputs: experiment.Inputs{Target: "xen", Builds: []hv.Build{{Name: "native"}}}, Suite: "full"}.Spec()
	if err != nil {
		return nil, err
	}
	spec.Rounds, spec.Builds = 2, nil
	for i := range revisions {
		for _, kind := range kinds {
			spec.Builds = append(spec.Builds, hv.Build{Name: fmt.Sprintf("%s-%d", kind, i+1), Kind: kind, Rev: fmt.Sprint(i + 1), Arch: "amd64"})
		}
	}
	again := spec.Builds[0]
	again.Name, again.ControlOf = again.Name+"-again", again.Name
	spec.Builds = append(spec.Builds, again)
	return experiment.NewPlan(t, spec, nil)
}

// TestFleetFigures: the figures of docs/fleet.md are those that the simulation gives.
// "make bench-fleet" prints them; -fleet.update writes them there.
func TestFleetFigures(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := writeFleetFigures(&b); err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s", b.String())
	text, err := os.ReadFile(fleetDocs)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), fleetMark)
	was, after, ok2 := strings.Cut(rest, fleetUnmark)
	if !ok || !ok2 {
		t.Fatalf("%s has no marks", fleetDocs)
	}
	if *updateFleet {
		if err := os.WriteFile(fleetDocs, []byte(before+fleetMark+b.String()+fleetUnmark+after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if was != b.String() {
		t.Errorf("%s has other figures; go test ./cmd/xsmbench -run TestFleetFigures -fleet.update writes these", fleetDocs)
	}
}

func writeFleetFigures(w io.Writer) error {
	night, err := fleetPlanOf(20, "native", "dummy", "flask")
	if err != nil {
		return err
	}
	history, err := fleetPlanOf(1000, "flask")
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\nA night: 20 revisions in three builds, %d boots of %s, %d images of %s.\n\n", len(night.Boots), hours(night.Boots[0].Takes), len(night.Makes), hours(night.Makes[0].Takes))
	writeFleetTable(w, night, 1, 2, 4, 8, 16, 32, 61, 64, 1000)
	fmt.Fprintf(w, "\nA history: 1,000 revisions in one build, %d boots, %d images.\n\n", len(history.Boots), len(history.Makes))
	writeFleetTable(w, history, 1, 10, 30, 100, 300, 1000)
	fmt.Fprintln(w)
	return nil
}

// fleetTimes is how often a simulation with deaths is done.
const fleetTimes = 100

// writeFleetTable writes what machines need, without deaths and with.
func writeFleetTable(w io.Writer, p *experiment.Plan, machines ...int) {
	fmt.Fprintln(w, "| machines | with work | no store | a store | one of 10 Gbit/s | all images in it | a death in 20 h | a death in 2 h | machine hours | from the store | store at its limit |")
	fmt.Fprintln(w, "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
	for _, n := range machines {
		s := fleetsim.Divide(p, n)
		cold := s.Simulate(fleetCosts, fleetsim.Cold, nil)
		fast := fleetCosts
		fast.Store *= 10
		fmt.Fprintf(w, "| %d | %d | %s | %s | %s | %s | %s | %s | %.1f | %.1f GB | %s |\n", n, s.Machines(),
			hours(s.Simulate(fleetCosts, fleetsim.None, nil).Takes), hours(cold.Takes), hours(s.Simulate(fast, fleetsim.Cold, nil).Takes),
			hours(s.Simulate(fleetCosts, fleetsim.Warm, nil).Takes), dying(s, 0.05), dying(s, 0.5),
			cold.Work.Hours(), float64(cold.Out)/1e9, hours(cold.Busy))
	}
}

// month bounds simulations with deaths.
const month = 30 * 24 * time.Hour

// dying is how long machines take with a cold store, on the average, of which so many die
// in an hour of work.
func dying(s *fleetsim.Shards, deaths float64) string {
	costs := fleetCosts
	costs.Deaths, costs.Most = deaths, month
	random := rand.New(rand.NewPCG(1, 1))
	var sum time.Duration
	for range fleetTimes {
		out := s.Simulate(costs, fleetsim.Cold, random)
		if out.GivenUp {
			return "over a month"
		}
		sum += out.Takes
	}
	return hours(sum / fleetTimes)
}

// hours is a time as people say it.
func hours(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d >= time.Hour:
		d = d.Round(time.Minute)
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	case d >= time.Minute:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d s", int(d.Seconds()))
}
