#include "textflag.h"

// func out8(port uint16, value uint8)
TEXT ·out8(SB), NOSPLIT, $0-3
	MOVW port+0(FP), DX
	MOVB value+2(FP), AX
	OUTB
	RET

// func out16(port uint16, value uint16)
TEXT ·out16(SB), NOSPLIT, $0-4
	MOVW port+0(FP), DX
	MOVW value+2(FP), AX
	OUTW
	RET

// func in8(port uint16) uint8
TEXT ·in8(SB), NOSPLIT, $0-5
	MOVW port+0(FP), DX
	INB
	MOVB AX, ret+4(FP)
	RET
