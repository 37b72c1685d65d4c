package profileloop

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"time"
)

// segment is a CPU profile of a part of a window, and the CPU the process used meanwhile.
type segment struct {
	// data is what runtime/pprof wrote: gzip of profile.proto, columns [samples/count, cpu/nanoseconds].
	data []byte
	cpu  time.Duration
}

// joinSegments makes one CPU profile of a window's segments, which are of the same process, and gives every sample the
// CPU it stands for: all that the process used, divided by the samples.
//
// runtime/pprof gives each the interval of 10 ms instead. But Linux looks at a thread's CPU timer only when its clock
// ticks (every 4 or 10 ms) while the thread runs, and Go counts one sample however many intervals have passed: of work in
// short bursts on many threads, which is what invocations are, 5 to 15 % is lost.
//
// Messages of Protocol Buffers that follow each other are one message, so the second segment's samples, mappings,
// locations, functions and strings are appended with their numbers moved on; a reader merges those that are equal.
func joinSegments(segments []segment) ([]byte, error) {
	var joined []byte
	var next numbering
	for i, s := range segments {
		reader, err := gzip.NewReader(bytes.NewReader(s.data))
		if err != nil {
			return nil, fmt.Errorf("cannot read a CPU profile: %w", err)
		}
		message, err := io.ReadAll(reader)
		if err != nil {
			return nil, fmt.Errorf("cannot read a CPU profile: %w", err)
		}
		r := rewriter{from: next, next: next}
		if r.nanosPerSample, err = nanosPerSample(message, s.cpu); err != nil {
			return nil, err
		}
		fields := profileFields
		if i > 0 {
			fields = furtherFields
		}
		if joined, err = r.message(joined, message, fields); err != nil {
			return nil, err
		}
		next = r.next
	}
	var out bytes.Buffer
	writer := gzip.NewWriter(&out)
	if _, err := writer.Write(joined); err != nil {
		return nil, err
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// nanosPerSample is the CPU divided by the samples; 0 when either is not known, which leaves the values as they are.
func nanosPerSample(message []byte, cpu time.Duration) (float64, error) {
	samples := 0.0
	err := eachField(message, func(f field) error {
		if f.number != 2 || f.wire != wireBytes {
			return nil
		}
		values, err := sampleValues(f.bytes)
		if err == nil && len(values) == 2 {
			samples += float64(values[0])
		}
		return err
	})
	if err != nil || samples == 0 || cpu <= 0 {
		return 0, err
	}
	return float64(cpu.Nanoseconds()) / samples, nil
}

// sampleValues reads field 2 of message Sample, packed or not.
func sampleValues(sample []byte) ([]uint64, error) {
	var values []uint64
	err := eachField(sample, func(f field) error {
		if f.number != 2 {
			return nil
		}
		if f.wire == wireVarint {
			values = append(values, f.value)
			return nil
		}
		return eachVarint(f.bytes, func(value uint64) { values = append(values, value) })
	})
	return values, err
}

// numbering is how many strings there are, and the largest id of each kind.
type numbering struct{ strings, mappings, locations, functions uint64 }

// reference is what a field of profile.proto holds.
type reference int

const (
	plain reference = iota
	text            // an entry of the string table
	tableEntry
	mappingID
	locationID
	functionID
	dropped
)

// fieldKind is how a field is rewritten: a reference, or a message with fields of its own.
type fieldKind struct {
	reference reference
	fields    map[uint64]fieldKind
	sample    bool
}

// https://github.com/google/pprof/blob/main/proto/profile.proto; fields that are not named are copied.
var (
	labelFields    = map[uint64]fieldKind{1: {reference: text}, 2: {reference: text}, 4: {reference: text}}
	sampleFields   = map[uint64]fieldKind{1: {reference: locationID}, 2: {reference: dropped}, 3: {fields: labelFields}}
	mappingFields  = map[uint64]fieldKind{1: {reference: mappingID}, 5: {reference: text}, 6: {reference: text}}
	lineFields     = map[uint64]fieldKind{1: {reference: functionID}}
	locationFields = map[uint64]fieldKind{1: {reference: locationID}, 2: {reference: mappingID}, 4: {fields: lineFields}}
	functionFields = map[uint64]fieldKind{
		1: {reference: functionID}, 2: {reference: text}, 3: {reference: text}, 4: {reference: text},
	}
	profileFields = map[uint64]fieldKind{
		2: {fields: sampleFields, sample: true}, 3: {fields: mappingFields}, 4: {fields: locationFields},
		5: {fields: functionFields}, 6: {reference: tableEntry},
	}
	// Of a further segment only what samples refer to is kept: the first says the rest.
	furtherFields = map[uint64]fieldKind{
		1: {reference: dropped}, 2: profileFields[2], 3: profileFields[3], 4: profileFields[4], 5: profileFields[5],
		6: profileFields[6], 7: {reference: dropped}, 8: {reference: dropped}, 9: {reference: dropped},
		10: {reference: dropped}, 11: {reference: dropped}, 12: {reference: dropped}, 13: {reference: dropped},
		14: {reference: dropped},
	}
)

// rewriter copies a message with its references moved on.
type rewriter struct {
	from, next     numbering
	nanosPerSample float64
}

func (r *rewriter) message(out, message []byte, fields map[uint64]fieldKind) ([]byte, error) {
	err := eachField(message, func(f field) error {
		kind := fields[f.number]
		if kind.reference == dropped {
			return nil
		}
		if kind.reference == tableEntry {
			r.next.strings++
		}
		switch {
		case kind.fields != nil && f.wire == wireBytes:
			inner, err := r.message(nil, f.bytes, kind.fields)
			if err != nil {
				return err
			}
			if kind.sample {
				if inner, err = r.values(inner, f.bytes); err != nil {
					return err
				}
			}
			out = appendBytes(out, f.number, inner)
		case kind.reference != plain && f.wire == wireVarint:
			out = binary.AppendUvarint(out, f.number<<3|wireVarint)
			out = binary.AppendUvarint(out, r.moved(f.value, kind.reference))
		case kind.reference == locationID && f.wire == wireBytes: // packed
			var ids []byte
			if err := eachVarint(f.bytes, func(id uint64) {
				ids = binary.AppendUvarint(ids, r.moved(id, locationID))
			}); err != nil {
				return err
			}
			out = appendBytes(out, f.number, ids)
		default:
			out = append(out, f.raw...)
		}
		return nil
	})
	return out, err
}

// values appends those of a sample: how often it was seen, and the CPU that stands for.
func (r *rewriter) values(out, sample []byte) ([]byte, error) {
	values, err := sampleValues(sample)
	if err != nil {
		return nil, err
	}
	if len(values) == 2 && r.nanosPerSample > 0 {
		values[1] = uint64(math.Round(float64(values[0]) * r.nanosPerSample))
	}
	var packed []byte
	for _, value := range values {
		packed = binary.AppendUvarint(packed, value)
	}
	return appendBytes(out, 2, packed), nil
}

// moved is the number of a reference behind the segments before; 0 is none, or the empty string.
func (r *rewriter) moved(number uint64, to reference) uint64 {
	if number == 0 {
		return 0
	}
	switch to {
	case text:
		return number + r.from.strings
	case mappingID:
		r.next.mappings = max(r.next.mappings, number+r.from.mappings)
		return number + r.from.mappings
	case locationID:
		r.next.locations = max(r.next.locations, number+r.from.locations)
		return number + r.from.locations
	case functionID:
		r.next.functions = max(r.next.functions, number+r.from.functions)
		return number + r.from.functions
	}
	return number
}

func appendBytes(out []byte, number uint64, content []byte) []byte {
	out = binary.AppendUvarint(out, number<<3|wireBytes)
	out = binary.AppendUvarint(out, uint64(len(content)))
	return append(out, content...)
}
