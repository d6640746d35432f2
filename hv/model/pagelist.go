package model

import "xsmbench/abi"

// pageList is a list of frames (a domain's page_list), chained through their
// descriptors. The domain's pageLock guards it.
type pageList struct {
	head, tail abi.MFN // meaningless while n is 0
	n          int
}

// append adds a frame at the end.
func (l *pageList) append(t frameTable, mfn abi.MFN) {
	t[mfn].next, t[mfn].prev = abi.InvalidMFN, abi.InvalidMFN
	if l.n == 0 {
		l.head = mfn
	} else {
		t[l.tail].next, t[mfn].prev = mfn, l.tail
	}
	l.tail = mfn
	l.n++
}

// remove takes a frame out.
func (l *pageList) remove(t frameTable, mfn abi.MFN) {
	next, prev := t[mfn].next, t[mfn].prev
	if prev == abi.InvalidMFN {
		l.head = next
	} else {
		t[prev].next = next
	}
	if next == abi.InvalidMFN {
		l.tail = prev
	} else {
		t[next].prev = prev
	}
	l.n--
}

// mfns lists the frames in order.
func (l *pageList) mfns(t frameTable) []abi.MFN {
	list := make([]abi.MFN, 0, l.n)
	for i, mfn := 0, l.head; i < l.n; i, mfn = i+1, t[mfn].next {
		list = append(list, mfn)
	}
	return list
}

// pageMFNs lists the frames that the domain owns, without those that Xen
// shares with it.
func (d *Domain) pageMFNs() []abi.MFN {
	d.pageLock.Lock()
	defer d.pageLock.Unlock()
	return d.pages.mfns(d.machine.frames)
}
