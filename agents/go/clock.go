package profileloop

import (
	"runtime/metrics"
	"time"
)

// clock are the counters of the process.
type clock struct {
	now func() time.Time
	// cpu so far: user and system, all threads.
	cpu func() time.Duration
	// allocatedBytes on the Go heap so far.
	allocatedBytes func() uint64
	sleep          func(time.Duration)
}

var systemClock = clock{now: time.Now, cpu: processCPU, allocatedBytes: allocatedBytes, sleep: time.Sleep}

// allocatedBytes counts all bytes ever allocated, freed ones too; unlike runtime.MemStats it stops nothing.
func allocatedBytes() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}
