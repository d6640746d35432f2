package policydb

import "encoding/binary"

// Party is a context as a Check compares it. Of parties from the same Levels,
// equal levels are one level.
type Party struct {
	User, Role, Type uint32
	levels           [2]*Level // the low and the high one
}

// Levels keeps every level of a policy's contexts once.
type Levels struct{ known map[string]*Level }

// Party returns a context's party. It is not for two goroutines at once.
func (s *Levels) Party(c *Context) Party {
	return Party{User: c.User, Role: c.Role, Type: c.Type, levels: [2]*Level{s.one(&c.Range.Low), s.one(&c.Range.High)}}
}

func (s *Levels) one(l *Level) *Level {
	key := l.key()
	if known, ok := s.known[key]; ok {
		return known
	}
	if s.known == nil {
		s.known = make(map[string]*Level)
	}
	s.known[key] = l
	return l
}

// key is the same for equal levels, and for no others.
func (l *Level) key() string {
	b := binary.LittleEndian.AppendUint32(nil, l.Sensitivity)
	for _, w := range l.Categories {
		b = binary.LittleEndian.AppendUint32(b, w.Start)
		b = binary.LittleEndian.AppendUint64(b, w.Bits)
	}
	return string(b)
}
