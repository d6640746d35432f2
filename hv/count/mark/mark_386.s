#include "textflag.h"

// Begin and End leave by a jump to the table, whose return goes back to their
// caller: no instruction of theirs is inside the window after its begin.

// func Begin(slot int)
TEXT ·Begin(SB), NOSPLIT|NOFRAME, $0-4
	MOVL slot+0(FP), AX
	LEAL ·table<>(SB), CX
	ADDL AX, CX
	JMP  CX

// func End()
TEXT ·End(SB), NOSPLIT|NOFRAME, $0-0
	LEAL ·table<>+4095(SB), CX
	JMP  CX

#define RETURNS_16 LONG $0xC3C3C3C3; LONG $0xC3C3C3C3; LONG $0xC3C3C3C3; LONG $0xC3C3C3C3;
#define RETURNS_128 RETURNS_16 RETURNS_16 RETURNS_16 RETURNS_16 RETURNS_16 RETURNS_16 RETURNS_16 RETURNS_16
#define RETURNS_1024 RETURNS_128 RETURNS_128 RETURNS_128 RETURNS_128 RETURNS_128 RETURNS_128 RETURNS_128 RETURNS_128

// func table(): 4096 returns
TEXT ·table<>(SB), NOSPLIT|NOFRAME, $0-0
	RETURNS_1024
	RETURNS_1024
	RETURNS_1024
	RETURNS_1024
