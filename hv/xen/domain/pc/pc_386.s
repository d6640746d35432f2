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

// func outs(port uint16, from *byte, n uintptr)
TEXT ·outs(SB), NOSPLIT, $0-12
	MOVW port+0(FP), DX
	MOVL from+4(FP), SI
	MOVL n+8(FP), CX
	CLD
	REP; OUTSB
	RET

// func ins(port uint16, to *byte, n uintptr)
TEXT ·ins(SB), NOSPLIT, $0-12
	MOVW port+0(FP), DX
	MOVL to+4(FP), DI
	MOVL n+8(FP), CX
	CLD
	REP; INSB
	RET
