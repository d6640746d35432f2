package model

// guestKernelRPL is the privilege level that a guest kernel runs at: between Xen and its processes.
const guestKernelRPL = 1
