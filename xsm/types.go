// Package xsm is the Xen Security Modules framework as first posted in
// December 2006 and merged in Xen 3.2: a table of hooks through which the
// hypervisor asks a security module whether an operation may go on.
//
// A build has the framework in one of two ways. Without the build tag "xsm"
// every hook is a constant that the compiler folds away (XSM_ENABLE=n, the
// native build). With it, a hook is a call through the table that the current
// module registered, at first the dummy's, which allows everything. Modules are packages
// of their own, which call AddModule; importing one builds it in (FLASK_ENABLE=y).
//
// C has current, the running vCPU, in a per-CPU variable; Go has none, so
// every hook takes it as its first argument. Hooks see the hypervisor's
// objects through the types below, which the hypervisor embeds in its own;
// each carries the security label (ssid in Xen) that the module attached.
package xsm

import "xsmbench/abi"

// VCPU is what a hook may read of the running virtual CPU.
type VCPU struct {
	Domain *Domain
	CPU    int // physical CPU it runs on: index of per-CPU statistics
}

// Domain is what a hook may read of a domain (struct domain).
type Domain struct {
	ID         abi.DomID
	Privileged bool        // IS_PRIV
	SSID       any         // the module's label, d->ssid
	Frames     FrameTable  // the machine's frames, for get_mfn_sid
	Domains    DomainTable // the machine's domains, for get_domain_by_id
}

// Evtchn is what a hook may read of an event channel (struct evtchn).
type Evtchn struct {
	SSID any
}

// Page is what a hook may read of a frame (struct page_info).
type Page struct {
	Owner *Domain // nil for a free frame and for one of Xen's own
}

// FrameTable finds a frame's descriptor, nil for a frame that does not exist.
type FrameTable interface {
	Page(abi.MFN) *Page
}

// DomainTable finds a domain by its identifier, nil for one that does not
// exist. The caller holds no reference afterwards.
type DomainTable interface {
	Domain(abi.DomID) *Domain
}

// BootModule is a multiboot module as policy discovery sees it.
type BootModule struct {
	Name string
	Data []byte
}
