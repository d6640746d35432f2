package abi

// Named is the handle of a hypercall whose numbers and structures are not Xen
// 3.2's, but those of the Xen that is asked: by the names that its public headers
// have. It stands for all arguments; the registers in Args are not used.
type Named struct{ Registers []Word }

// Word is a number that a register or a field holds.
type Word struct {
	Number   uint64
	Constant string        // the name of one that is used in place of Number
	Address  *Block        // whose address is used in place of Number
	SizeOf   *Block        // whose size is
	Read     func() uint64 // gives the number at each call, in place of Number
	Write    func(uint64)  // takes what the field holds after a call that did not fail
}

// Block is memory that a hypercall's argument points to: a structure by its name,
// without "struct", or words of 8 bytes.
type Block struct {
	Struct string
	Fields []NamedField
	Words  []Word
}

// NamedField is a field of a block's structure, by its path as C has it
// ("in.domid"). What is not named is 0.
type NamedField struct {
	Name string
	Word
}

// Number is a word that stays.
func Number(n uint64) Word { return Word{Number: n} }

// Constant is a word whose value the headers define.
func Constant(name string) Word { return Word{Constant: name} }

// Address is where a block lies.
func Address(b *Block) Word { return Word{Address: b} }

// SizeOf is how long a block is.
func SizeOf(b *Block) Word { return Word{SizeOf: b} }

// Variable is a word that each call reads, and writes if it is a field.
func Variable[T ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~int16 | ~int32](v *T) Word {
	return Word{Read: func() uint64 { return uint64(*v) }, Write: func(n uint64) { *v = T(n) }}
}

// Struct is a block of a structure.
func Struct(name string, fields ...NamedField) *Block { return &Block{Struct: name, Fields: fields} }

// Member is a field of Struct.
func Member(name string, w Word) NamedField { return NamedField{name, w} }

// Command is a hypercall of a command and one structure.
func Command(constant string, b *Block) *Named {
	return &Named{[]Word{Constant(constant), Address(b)}}
}

// Hypercalls that Xen 3.2 had not.
const (
	ArgoOp  Hypercall = 39
	DMOp    Hypercall = 41
	HypfsOp Hypercall = 42
	MCAOp   Hypercall = 48 // the first of the architecture's
)
