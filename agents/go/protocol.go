package profileloop

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// mark is what an invocation of a run says about itself, in the custom part of its client context.
type mark struct {
	// op is "warmup", "invoke" or "flush".
	op string
	// run and commit are empty when absent or not well formed.
	run, commit string
	// hold is how long a flush waits before it answers, so that concurrent flushes land on different instances.
	hold time.Duration
}

const maxHold = time.Second

var identifier = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,64}$`)

// parseMark reads a client context (JSON). It returns nil for an ordinary invocation: no context, another application's,
// or an unknown operation.
func parseMark(clientContext string) *mark {
	if !strings.Contains(clientContext, "lambda-profile.op") {
		return nil
	}
	var context struct {
		Custom map[string]any `json:"custom"`
	}
	if json.Unmarshal([]byte(clientContext), &context) != nil {
		return nil
	}
	text := func(name string) string {
		value, _ := context.Custom["lambda-profile."+name].(string)
		return value
	}
	id := func(name string) string {
		if value := text(name); identifier.MatchString(value) {
			return value
		}
		return ""
	}
	op := text("op")
	if op != "warmup" && op != "invoke" && op != "flush" {
		return nil
	}
	var hold time.Duration
	if ms, err := strconv.ParseFloat(text("hold"), 64); err == nil && ms > 0 && op == "flush" {
		hold = time.Duration(min(ms, float64(maxHold.Milliseconds())) * float64(time.Millisecond))
	}
	return &mark{op: op, run: id("run"), commit: id("commit"), hold: hold}
}

// publishedObject is one object that a flush wrote.
type publishedObject struct {
	Type  string `json:"type"`
	Key   string `json:"key"`
	ETag  string `json:"etag"`
	Bytes int    `json:"bytes"`
}

// failure is why a profile is missing from the reply.
type failure struct {
	Type    string `json:"type"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// flushReply is what a flush answers with, instead of the handler's result.
type flushReply struct {
	V           int               `json:"v"`
	Instance    string            `json:"instance"`
	Run         *string           `json:"run"`
	Invocations int               `json:"invocations"`
	Errors      int               `json:"errors"`
	CPUMs       float64           `json:"cpuMs"`
	ActiveMs    float64           `json:"activeMs"`
	Requests    string            `json:"requests"`
	Published   []publishedObject `json:"published"`
	Failures    []failure         `json:"failures"`
}

func (r flushReply) encode() []byte {
	body, err := json.Marshal(map[string]flushReply{"lambda-profile": r})
	if err != nil { // numbers and strings only
		return []byte("{}")
	}
	return body
}

var requestDigits = regexp.MustCompile(`^[0-9a-f]{8}`)

// parseRequest returns the first eight hexadecimal digits of a request id, or nothing.
func parseRequest(id string) string {
	return requestDigits.FindString(id)
}

// nullable is how the protocol writes an id that is not known.
func nullable(id string) *string {
	if id == "" {
		return nil
	}
	return &id
}
