// Package policydb reads the binary policy that checkpolicy writes for Xen
// into a database that the security server decides from: versions 24 to 31 of
// checkpolicy -t Xen, and versions 15 to 24 in the older form that Xen 3.2
// took, written as if for SELinux.
//
// A database is complete and consistent or it is not returned: every value
// that one part of a policy refers to in another (a rule's types and class, a
// context's user, role and type, a role's types) is checked to exist, so its
// users index without further tests. It does not change once read. Sections
// that the security server has no use for are read all the same, since their
// length is known only to those who parse them; default_user, default_role,
// default_range and default_type of a class are among them, as in Xen. What
// Xen refuses is refused: transitions by file name, contexts of file systems,
// an empty table of rules.
//
// The memory that reading takes is bounded by the policy's size times a
// constant: a count is believed only if the rest of the policy can hold as
// many elements.
//
// The format is that of libsepol (policydb.c, avtab.c, ebitmap.c) and of Xen
// (xen/xsm/flask/ss).
package policydb

// Versions of the format that changed its layout (POLICYDB_VERSION_*).
const (
	VersionMin              = 15 // of a policy for targetOld
	versionBool             = 16 // booleans, conditional rules
	versionIPv6             = 17 // one more kind of object contexts
	versionMLS              = 19 // levels and categories; validatetrans
	versionAVTab            = 20 // compact rules; attributes in type_attr_map
	versionRangeTrans       = 21 // range transitions name a class
	versionPolicyCaps       = 22
	versionPermissive       = 23 // permissive types
	versionBoundary         = 24 // bounds of users, roles and types; attribute names
	versionFilenameTrans    = 25
	versionRoleTrans        = 26 // role transitions name a class
	versionObjectDefaults   = 27
	versionDefaultType      = 28
	versionConstraintNames  = 29
	versionXenDeviceTree    = 30 // device tree contexts, 64-bit I/O memory ranges
	versionInfiniband       = 31 // two more of SELinux's kinds of object contexts
	versionMinXen           = 24 // of a policy for targetXen
	VersionMax              = 31
	configMLS               = 1 << 0
	configRejectUnknown     = 1 << 1
	configAllowUnknown      = 1 << 2
	objectR                 = "object_r"
	maxValue                = 1<<16 - 1 // rules hold types and classes in 16 bits
	typePropertyPrimary     = 1 << 0
	typePropertyAttribute   = 1 << 1
	maxConstraintExpression = 5 // depth of the stack that evaluates one
)

// Magic is the policy's first word, which Xen looks for among boot modules.
const Magic = 0xf97cff8c

// Target names in the header: Xen's own, and the one that policies carried
// before Xen had a name there.
const (
	targetXen = "XenFlask"
	targetOld = "SE Linux"
)

// DB is a policy.
type DB struct {
	Version       uint32
	target        string
	MLS           bool // contexts have levels
	rejectUnknown bool // the writer asks to refuse what the policy does not define
	allowUnknown  bool

	Classes Symbols[*classDatum] // by value, from 1, as all symbols
	commons Symbols[*commonDatum]
	Roles   Symbols[*roleDatum]
	Types   Symbols[*typeDatum] // types and, from version 24, attributes
	Users   Symbols[*userDatum]
	Bools   Symbols[*boolDatum]
	Levels  Symbols[*levelDatum]
	Cats    Symbols[*categoryDatum]

	Rules        *avTab        // rules that hold always
	Conditionals []Conditional // rules that depend on booleans
	RoleTrans    []roleTransition
	RoleAllow    []roleAllow
	RangeTrans   []RangeTransition

	InitialSIDs []initialSID
	PIRQs       []Range // Low is High
	IOPorts     []Range
	IOMems      []Range // frame numbers
	PCIDevices  []Range // Low is High: segment, bus, device, function
	DeviceTree  []deviceNode

	// TypeAttrs has, for the type of value t at t-1, the type itself and
	// every attribute it has, as bits value-1.
	TypeAttrs  []Bitmap
	Permissive Bitmap // types, by value; never denied
	policyCaps Bitmap
}

// ForSELinux says whether the policy was written as if for SELinux, before Xen was a
// target of its own.
func (db *DB) ForSELinux() bool { return db.target == targetOld }

// ObjectRole is the value of the role that objects have.
const ObjectRole = 1

// initialSID is the context of a SID that the hypervisor knows by number.
type initialSID struct {
	SID     uint32
	Context Context
}

// Range labels a range of resources, both ends included.
type Range struct {
	Low, High uint64
	Context   Context
}

// deviceNode labels a node of the device tree.
type deviceNode struct {
	path    string
	context Context
}

// roleTransition gives a domain of Role that enters Type the role New.
type roleTransition struct {
	Role, Type, New uint32
	Class           uint32 // 0 before version 26: the class of domains
}

// roleAllow lets a domain change from one role to another.
type roleAllow struct{ Role, New uint32 }

// RangeTransition gives a new object a range of levels.
type RangeTransition struct {
	Source, Target uint32 // types
	Class          uint32 // 0 before version 21: the class of domains
	Levels         LevelRange
}
