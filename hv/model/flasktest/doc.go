// Package flasktest boots the hypervisor model with FLASK, the project's policy
// as a boot module, and domains whose kernels do nothing but make the
// hypercalls that a test hands them. Its tests compare what the hypercalls
// return, and what is audited, with the call sites and hooks of Xen 3.2.
//
// It is a package of its own because package model must not import a security
// module: the tests have something to say with the build tags xsm and flask
// only.
package flasktest
