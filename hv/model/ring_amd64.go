package model

// guestKernelRPL is the privilege level that a guest kernel runs at: the same as its processes.
const guestKernelRPL = 3
