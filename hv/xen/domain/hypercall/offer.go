package hypercall

import (
	"fmt"
	"strconv"
	"strings"

	"xsmbench/abi"
)

// offer is what the first of two domains tells the second: a page that it
// grants, and ports that wait for the second to bind.
type offer struct {
	from, to abi.DomID
	grant    abi.GrantRef
	plain    abi.Port // nobody answers
	echo     abi.Port // the first domain answers
	ask      abi.Port // the second domain answers
}

const (
	offerHead  = "xsmbench-offer/1"
	answerHead = "xsmbench-answer/1"
)

func (o offer) String() string {
	return fmt.Sprintf("%s from=%d to=%d grant=%d plain=%d echo=%d ask=%d", offerHead, o.from, o.to, o.grant, o.plain, o.echo, o.ask)
}

// parseOffer reads what String writes.
func parseOffer(s string) (offer, error) {
	v, err := parseNumbers(s, offerHead, number{"from", 16}, number{"to", 16}, number{"grant", 32}, number{"plain", 32}, number{"echo", 32}, number{"ask", 32})
	if err != nil {
		return offer{}, fmt.Errorf("parse offer: %w", err)
	}
	o := offer{abi.DomID(v[0]), abi.DomID(v[1]), abi.GrantRef(v[2]), abi.Port(v[3]), abi.Port(v[4]), abi.Port(v[5])}
	if o.plain == 0 || o.echo == 0 || o.ask == 0 {
		return offer{}, fmt.Errorf("parse offer: a port is 0: %q", s)
	}
	return o, nil
}

// answer is what the second domain tells the first: a page in return.
type answer struct {
	from, to abi.DomID
	grant    abi.GrantRef
}

func (a answer) String() string {
	return fmt.Sprintf("%s from=%d to=%d grant=%d", answerHead, a.from, a.to, a.grant)
}

// parseAnswer reads what String writes.
func parseAnswer(s string) (answer, error) {
	v, err := parseNumbers(s, answerHead, number{"from", 16}, number{"to", 16}, number{"grant", 32})
	if err != nil {
		return answer{}, fmt.Errorf("parse answer: %w", err)
	}
	return answer{abi.DomID(v[0]), abi.DomID(v[1]), abi.GrantRef(v[2])}, nil
}

// number is a field of a string, decimal and of so many bits.
type number struct {
	name string
	bits int
}

// longest is more than any offer has, so that errors stay readable.
const longest = 200

// parseNumbers reads a head and fields "name=value" in their order, one space
// between each. Numbers are as String writes them, without zeros in front.
func parseNumbers(s, head string, fields ...number) ([]uint64, error) {
	if len(s) > longest {
		return nil, fmt.Errorf("%d bytes, more than %d", len(s), longest)
	}
	parts := strings.Split(s, " ")
	if parts[0] != head {
		return nil, fmt.Errorf("it does not begin with %s: %q", head, s)
	}
	if len(parts) != 1+len(fields) {
		return nil, fmt.Errorf("%d fields, not %d: %q", len(parts)-1, len(fields), s)
	}
	values := make([]uint64, len(fields))
	for i, f := range fields {
		text, ok := strings.CutPrefix(parts[1+i], f.name+"=")
		v, err := strconv.ParseUint(text, 10, f.bits)
		if !ok || err != nil || strconv.FormatUint(v, 10) != text {
			return nil, fmt.Errorf("field %d is %q, not %s=NUMBER", i+1, parts[1+i], f.name)
		}
		values[i] = v
	}
	return values, nil
}
