// Command bootstrap is one function of several kinds, chosen by VARIANT: what an agent must leave as it is.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	profileloop "github.com/org/lambda-profile-action/agents/go"
)

// Work is the event of the plain handlers.
type Work struct {
	Units int  `json:"units"`
	Fail  bool `json:"fail"`
}

// raw is a lambda.Handler of its own.
type raw struct{}

func (raw) Invoke(_ context.Context, payload []byte) ([]byte, error) { return payload, nil }

func main() {
	if os.Getenv("WITHOUT_AGENT") == "" {
		profileloop.ScheduleProfileLoop(context.Background(), nil)
	}
	switch os.Getenv("VARIANT") {
	case "stream":
		lambda.Start(stream)
	case "raw":
		lambda.Start(raw{})
	case "sigterm":
		lambda.StartWithOptions(split, lambda.WithEnableSIGTERM(func() {
			os.WriteFile(os.Getenv("SIGTERM_FILE"), []byte("terminated"), 0o600)
			os.Exit(0)
		}))
	default:
		lambda.Start(split)
	}
}

// stream answers in parts, with a pause between them, and may break off.
func stream(_ context.Context, work Work) (io.Reader, error) {
	reader, writer := io.Pipe()
	go func() {
		for i := range work.Units {
			fmt.Fprintf(writer, "part %d;", i)
			time.Sleep(time.Millisecond)
		}
		if work.Fail {
			writer.CloseWithError(errors.New("no more parts"))
			return
		}
		writer.Close()
	}()
	return reader, nil
}

// split does 6 : 3 : 1 of its work in three functions and answers with the CPU of the process so far.
func split(_ context.Context, work Work) (json.RawMessage, error) {
	if work.Fail {
		return nil, errors.New("no such order")
	}
	sum := 0.0
	for range work.Units {
		sum += priceItems(6e5) + checkStock(3e5) + writeAudit(1e5)
	}
	rows := strings.Repeat("row ", 64<<10)
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return nil, err
	}
	cpu := time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	return json.RawMessage(fmt.Sprintf(`{"sum":%g,"rows":%d,"cpuMs":%g}`, sum, len(rows), float64(cpu.Microseconds())/1000)), nil
}

func priceItems(n int) float64 {
	sum := 0.0
	for i := range n {
		sum += float64(i%7) / (float64(i) + 1)
	}
	return sum
}

func checkStock(n int) float64 {
	sum := 0.0
	for i := range n {
		sum += float64(i%7) / (float64(i) + 2)
	}
	return sum
}

func writeAudit(n int) float64 {
	sum := 0.0
	for i := range n {
		sum += float64(i%7) / (float64(i) + 3)
	}
	return sum
}
