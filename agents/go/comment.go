package profileloop

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
)

// Fields of message Profile, https://github.com/google/pprof/blob/main/proto/profile.proto
const (
	stringTableField = 6
	commentField     = 13
)

// withComment adds a pprof comment to a profile, both gzip of profile.proto. Fields of a message may come in any order
// and repeated ones add up, so a comment is two fields more at the end: the next string of the table, and its number.
func withComment(profile []byte, comment string) ([]byte, error) {
	reader, err := gzip.NewReader(bytes.NewReader(profile))
	if err != nil {
		return nil, fmt.Errorf("cannot read a profile: %w", err)
	}
	message, err := io.ReadAll(reader)
	if err != nil {
		return nil, fmt.Errorf("cannot read a profile: %w", err)
	}
	strings, err := countField(message, stringTableField)
	if err != nil {
		return nil, err
	}
	message = binary.AppendUvarint(message, stringTableField<<3|wireBytes)
	message = binary.AppendUvarint(message, uint64(len(comment)))
	message = append(message, comment...)
	message = binary.AppendUvarint(message, commentField<<3|wireVarint)
	message = binary.AppendUvarint(message, uint64(strings))

	var out bytes.Buffer
	writer := gzip.NewWriter(&out)
	if _, err := writer.Write(message); err != nil {
		return nil, err
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// countField counts how often a field occurs at the top of a message.
func countField(message []byte, number uint64) (count int, err error) {
	err = eachField(message, func(f field) error {
		if f.number == number {
			count++
		}
		return nil
	})
	return count, err
}
