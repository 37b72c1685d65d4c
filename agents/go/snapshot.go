package profileloop

import (
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

const (
	agentVersion = "lambda-profile-go/0.1.0"
	engine       = "runtime/pprof"
	// intervalUs is the interval of runtime/pprof's CPU profile, which is always 100 Hz.
	intervalUs = 10_000
	// slots are the objects of one type that an instance keeps; Sparta's rolling window.
	slots = 3
)

// Reasons for the end of a window.
const (
	reasonFlush     = "flush"
	reasonCount     = "count"
	reasonRunChange = "run-change"
)

// snapshot is what all profiles of one publish have in common.
type snapshot struct {
	settings settings
	window   window
	// sequence counts from 0 per instance.
	sequence int
	reason   string
	flags    []string
}

// key of an object, readable by Sparta: {prefix}/{stack}/profiles/{type}/{slot}-{type}.{instance}.profile
func (s snapshot) key(profile string) string {
	return fmt.Sprintf("%s/%s/profiles/%s/%d-%s.%s.profile",
		s.settings.prefix, s.settings.stack, profile, s.sequence%slots, profile, s.settings.instance)
}

// comment is the pprof comment that every snapshot carries. It is authoritative: unlike the metadata of the object it
// stays with the file wherever it is copied, and survives a merge by any pprof tool.
func (s snapshot) comment(profile string) string {
	type invocations struct {
		N      int `json:"n"`
		Errors int `json:"errors"`
		Cold   int `json:"cold"`
	}
	type times struct {
		Start    int64   `json:"start"`
		End      int64   `json:"end"`
		ActiveMs float64 `json:"activeMs"`
		CPUMs    float64 `json:"cpuMs"`
		P50Ms    float64 `json:"p50Ms"`
		P90Ms    float64 `json:"p90Ms"`
		P95Ms    float64 `json:"p95Ms"`
	}
	kind := "delta"
	if slices.Contains(counters, profile) {
		kind = "cumulative"
	}
	w := s.window
	text, err := json.Marshal(struct {
		V               int         `json:"v"`
		Run             string      `json:"run"`
		Function        string      `json:"function"`
		FunctionVersion string      `json:"functionVersion"`
		Commit          string      `json:"commit"`
		Instance        string      `json:"instance"`
		Sequence        int         `json:"sequence"`
		Slot            int         `json:"slot"`
		Reason          string      `json:"reason"`
		Invocations     invocations `json:"invocations"`
		Time            times       `json:"time"`
		AllocatedBytes  uint64      `json:"allocatedBytes"`
		MemoryMB        int         `json:"memoryMb"`
		Arch            string      `json:"arch"`
		Runtime         string      `json:"runtime"`
		Language        string      `json:"language"`
		Agent           string      `json:"agent"`
		Engine          string      `json:"engine"`
		IntervalUs      int         `json:"intervalUs"`
		Flags           []string    `json:"flags"`
		Kind            string      `json:"kind"`
	}{
		V: 1, Run: w.run, Function: s.settings.function, FunctionVersion: s.settings.functionVersion,
		Commit: w.commit, Instance: s.settings.instance, Sequence: s.sequence, Slot: s.sequence % slots,
		Reason:      s.reason,
		Invocations: invocations{w.invocations, w.errors, w.cold},
		Time: times{
			Start: w.start.UnixMilli(), End: w.end.UnixMilli(),
			ActiveMs: milliseconds(w.active), CPUMs: milliseconds(w.cpu),
			P50Ms: milliseconds(quantile(w.durations, 0.5)), P90Ms: milliseconds(quantile(w.durations, 0.9)),
			P95Ms: milliseconds(quantile(w.durations, 0.95)),
		},
		AllocatedBytes: w.allocatedBytes, MemoryMB: s.settings.memoryMB, Arch: arch(), Runtime: s.settings.runtime,
		Language: "go " + strings.TrimPrefix(runtime.Version(), "go"), Agent: agentVersion, Engine: engine,
		IntervalUs: intervalUs, Flags: s.flags, Kind: kind,
	})
	if err != nil { // numbers and strings only
		return "lambda-profile:{}"
	}
	return "lambda-profile:" + string(text)
}

// metadata are the essentials again, readable with HEAD: names without x-amz-meta-, printable ASCII.
func (s snapshot) metadata() map[string]string {
	values := map[string]string{
		"v":           "1",
		"run":         s.window.run,
		"function":    s.settings.function,
		"version":     s.settings.functionVersion,
		"commit":      s.window.commit,
		"instance":    s.settings.instance,
		"sequence":    strconv.Itoa(s.sequence),
		"invocations": strconv.Itoa(s.window.invocations),
		"cpu-ms":      strconv.FormatFloat(milliseconds(s.window.cpu), 'f', -1, 64),
		"reason":      s.reason,
	}
	metadata := map[string]string{}
	for name, value := range values {
		// An empty header is dropped by some proxies, which breaks the signature: leave it out.
		if value != "" {
			metadata["lambda-profile-"+name] = strings.Map(printable, value)
		}
	}
	return metadata
}

func printable(r rune) rune {
	if r < ' ' || r > '~' {
		return '?'
	}
	return r
}

// arch in the words of Lambda.
func arch() string {
	if runtime.GOARCH == "amd64" {
		return "x86_64"
	}
	return runtime.GOARCH
}
