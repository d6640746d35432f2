// Package realtest tests the real Xen from end to end: it builds Xen three
// ways, boots each in QEMU, measures in dom0 and domU, and looks at the
// figures. Its tests have the build tag "realxen", since they take minutes;
// "make test" runs them once. They are skipped where what they need is not
// installed, unless XSMBENCH_REQUIRE=all says that it must be.
package realtest
