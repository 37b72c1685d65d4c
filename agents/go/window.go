package profileloop

import (
	"math"
	"slices"
	"time"
)

// window holds the counters of the invocations between two snapshots. Only measured invocations count; time between
// them, and CPU spent there, does not.
type window struct {
	// run and commit are empty for invocations outside any run.
	run, commit string
	invocations int
	errors      int
	// cold is 1 when the window holds the first invocation of the instance.
	cold int
	// start of the first invocation and end of the last.
	start, end time.Time
	// active is the sum of the time from the delivery of the event to the end of the response.
	active time.Duration
	// cpu of the whole process during that time: user and system, all threads (getrusage).
	cpu time.Duration
	// allocatedBytes on the Go heap during that time (runtime/metrics).
	allocatedBytes uint64
	// durations of each invocation, the first maxDurations of the window.
	durations []time.Duration
	// requests holds the first eight digits of the request id of the same invocations, one after the other: who has the
	// platform's reports can tell whose they are.
	requests []byte
}

const (
	maxDurations = 10_000
	// maxRequests bytes of a flush's answer: 4,000 invocations.
	maxRequests = 32_000
)

// cost is what one measured invocation adds to its window.
type cost struct {
	// request holds eight digits of the request id, or nothing.
	request        string
	failed, cold   bool
	start          time.Time
	duration       time.Duration
	cpu            time.Duration
	allocatedBytes uint64
}

func (w *window) add(c cost) {
	if w.invocations == 0 {
		w.start = c.start
	}
	w.invocations++
	if c.failed {
		w.errors++
	}
	if c.cold {
		w.cold = 1
	}
	w.end = c.start.Add(c.duration)
	w.active += c.duration
	w.cpu += c.cpu
	w.allocatedBytes += c.allocatedBytes
	if len(w.durations) < maxDurations {
		w.durations = append(w.durations, c.duration)
	}
	if len(w.requests) < maxRequests {
		w.requests = append(w.requests, c.request...)
	}
}

// quantile is the q-quantile (0..1) by the nearest-rank method; 0 when there is none.
func quantile(durations []time.Duration, q float64) time.Duration {
	if len(durations) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(durations))
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
}

// milliseconds with three decimals.
func milliseconds(d time.Duration) float64 {
	return float64(d.Microseconds()) / 1000
}
