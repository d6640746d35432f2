package hypercall

import (
	"errors"
	"strings"
	"testing"

	"xsmbench/abi"
	"xsmbench/bench"
)

// pair is two domains whose channels lead to each other.
func pair(t *testing.T) (first, second *Domain) {
	t.Helper()
	x, y := newFake(nil), newFake(nil)
	first, second = mustDomain(t, x), mustDomain(t, y)
	second.id, second.privileged = 5, false
	offer, err := first.Offer(5)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := second.Accept(0, offer)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Complete(answer); err != nil {
		t.Fatal(err)
	}
	for i, j := range []int{0, 2, 1} { // the one's echo is the other's ask
		if y.opened[j].remote != x.opened[i].port {
			t.Errorf("channel %d is bound to port %d, want %d", j, y.opened[j].remote, x.opened[i].port)
		}
		join(x.opened[i], y.opened[j])
	}
	return first, second
}

func TestPeer(t *testing.T) {
	first, second := pair(t)
	for _, test := range []struct {
		d    *Domain
		want bench.Peer
	}{
		{first, bench.Peer{Dom: 5, Grant: 40, Port: 20}},
		{second, bench.Peer{Dom: 0, Grant: 40, Port: 20}},
	} {
		if got, err := test.d.Peer(); err != nil || got != test.want {
			t.Errorf("domain %d: %+v, %v, want %+v", test.d.DomID(), got, err, test.want)
		}
	}
}

// TestSettle: each side takes what the other sent, and no more comes.
func TestSettle(t *testing.T) {
	first, second := pair(t)
	for _, d := range []*Domain{second, first, second} {
		if err := d.Settle(); err != nil {
			t.Fatal(err)
		}
		if left := d.channels.plain.dev.(*fakeEvents); left.ready(0) {
			t.Errorf("domain %d has an event left", d.DomID())
		}
	}
	if err := mustDomain(t, newFake(nil)).Settle(); err == nil {
		t.Error("settled without channels")
	}
}

func TestEcho(t *testing.T) {
	first, second := pair(t)
	for _, d := range []*Domain{first, second} {
		// As if a trip had been cut off.
		left := d.channels.ask.dev.(*fakeEvents)
		left.events <- left.port
		trip, err := d.Echo()
		if err != nil {
			t.Fatal(err)
		}
		for range 100 {
			if err := trip(); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(left.events); n != 0 {
			t.Errorf("domain %d: %d events are left", d.DomID(), n)
		}
	}
}

func TestEchoBenchmark(t *testing.T) {
	first, _ := pair(t)
	b, ok := bench.Find("Kbench/hypercall/op=evtchn_roundtrip")
	if !ok {
		t.Fatal("there is no such benchmark")
	}
	loop, _, err := b.Setup(domain{first})
	if err != nil {
		t.Fatal(err)
	}
	if err := loop(10); err != nil {
		t.Error(err)
	}
}

func TestChannelErrors(t *testing.T) {
	const good = "xsmbench-offer/1 from=0 to=5 grant=40 plain=20 echo=21 ask=22"
	x := newFake(nil)
	d := mustDomain(t, x)
	d.id = 5
	_, peerErr := d.Peer()
	_, echoErr := d.Echo()
	_, foreign := d.Accept(1, good)
	_, elsewhere := d.Accept(0, strings.Replace(good, "to=5", "to=6", 1))
	_, malformed := d.Accept(0, "hello")
	none := d.Complete("xsmbench-answer/1 from=3 to=5 grant=8")
	if _, err := d.Offer(3); err != nil {
		t.Fatal(err)
	}
	_, twice := d.Offer(3)
	other := d.Complete("xsmbench-answer/1 from=4 to=5 grant=8")
	bad := d.Complete("xsmbench-answer/1 from=3")
	for _, test := range []struct {
		err  error
		want string
	}{
		{peerErr, "find peer: no channels"},
		{echoErr, "find peer: no channels"},
		{foreign, "accept channels of domain 1: the offer is domain 0's to domain 5"},
		{elsewhere, "accept channels of domain 0: the offer is domain 0's to domain 6"},
		{malformed, "accept channels of domain 0: parse offer: it does not begin with"},
		{none, "complete channels: none were offered"},
		{twice, "offer channels to domain 3: there are channels to domain 3"},
		{other, "complete channels: the answer is domain 4's to domain 5, not 3's to 5"},
		{bad, "complete channels: parse answer: 1 fields, not 3"},
	} {
		if test.err == nil || !strings.HasPrefix(test.err.Error(), test.want) {
			t.Errorf("error is %v, want %s…", test.err, test.want)
		}
	}
}

func TestFailedOfferLeavesNothing(t *testing.T) {
	x := newFake(nil)
	d := mustDomain(t, x)
	x.fail = abi.ENOSPC
	if _, err := d.Offer(3); !errors.Is(err, abi.ENOSPC) {
		t.Errorf("error is %v", err)
	}
	for i, e := range x.opened {
		if !e.gone {
			t.Errorf("channel %d is open", i)
		}
	}
	x.fail = nil
	if _, err := d.Offer(3); err != nil {
		t.Errorf("a second attempt: %v", err)
	}
}
