package profileloop

import (
	"encoding/binary"
	"errors"
)

// Wire types of Protocol Buffers.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

var errNotProfile = errors.New("the data are not a profile")

// field is one of a message.
type field struct {
	number, wire uint64
	// value of a varint.
	value uint64
	// bytes of a length-delimited field.
	bytes []byte
	// raw is the field as it was, with its tag.
	raw []byte
}

// eachField calls do for every field of a message, in their order.
func eachField(message []byte, do func(field) error) error {
	for len(message) > 0 {
		tag, n := binary.Uvarint(message)
		if n <= 0 {
			return errNotProfile
		}
		f := field{number: tag >> 3, wire: tag & 7}
		end := n
		switch f.wire {
		case wireVarint:
			value, size := binary.Uvarint(message[n:])
			if size <= 0 {
				return errNotProfile
			}
			f.value, end = value, n+size
		case wireFixed64:
			end = n + 8
		case wireFixed32:
			end = n + 4
		case wireBytes:
			length, size := binary.Uvarint(message[n:])
			if size <= 0 || length > uint64(len(message)-n-size) {
				return errNotProfile
			}
			end = n + size + int(length)
			f.bytes = message[n+size : end]
		default:
			return errNotProfile
		}
		if end > len(message) {
			return errNotProfile
		}
		f.raw = message[:end]
		if err := do(f); err != nil {
			return err
		}
		message = message[end:]
	}
	return nil
}

// eachVarint calls do for every number of a packed field.
func eachVarint(packed []byte, do func(uint64)) error {
	for len(packed) > 0 {
		value, n := binary.Uvarint(packed)
		if n <= 0 {
			return errNotProfile
		}
		do(value)
		packed = packed[n:]
	}
	return nil
}
