package profileloop

import (
	"bytes"
	"fmt"
	"runtime"
	"runtime/pprof"
	"slices"
	"time"
)

// reading is one profile as runtime/pprof writes it: gzip of profile.proto.
type reading struct {
	profile string
	data    []byte
}

// recorder takes the profiles of this process.
//
// The CPU profile runs only while a window is open: runtime/pprof starts in less than a millisecond, and needs up to
// 200 ms to stop, so it is stopped where nobody waits for a handler. Counters are read as they are, since the start of
// the process; two readings have a window's worth between them.
type recorder struct {
	types []string
	// processCPU so far.
	processCPU func() time.Duration
	cpu        bytes.Buffer
	cpuRunning bool
	// cpuFrom is the CPU of the process when the CPU profile began.
	cpuFrom time.Duration
	// ending is closed when runtime/pprof has written what is to become the last of the segments.
	ending        chan struct{}
	segments      []segment
	mutexFraction int // before; -1 while it is not ours
}

// counters are cumulative since the start of the process, states are true at one moment.
var (
	counters = []string{"heap", "allocs", "block", "mutex"}
	states   = []string{"goroutine", "threadcreate"}
)

func newRecorder(s settings, processCPU func() time.Duration) *recorder {
	r := &recorder{types: s.types, processCPU: processCPU, mutexFraction: -1}
	if s.heapIntervalBytes > 0 && (r.has("heap") || r.has("allocs")) {
		runtime.MemProfileRate = s.heapIntervalBytes
	}
	if r.has("block") {
		runtime.SetBlockProfileRate(s.blockProfileRate)
	}
	if r.has("mutex") {
		r.mutexFraction = runtime.SetMutexProfileFraction(s.mutexProfileFraction)
	}
	return r
}

func (r *recorder) has(profile string) bool { return slices.Contains(r.types, profile) }

// start begins the CPU profile unless it runs. It fails when someone else profiles this process.
func (r *recorder) start() error {
	if r.cpuRunning || !r.has("cpu") {
		return nil
	}
	r.ended()
	r.cpu.Reset()
	if err := pprof.StartCPUProfile(&r.cpu); err != nil {
		return fmt.Errorf("cannot start the CPU profile: %w; stop what else profiles this process", err)
	}
	r.cpuFrom = r.processCPU()
	r.cpuRunning = true
	return nil
}

// pause ends sampling until start, for work that is not the window's. It returns at once: runtime/pprof writes down what
// it has within 100 ms, and start waits for that.
func (r *recorder) pause() {
	if !r.cpuRunning {
		return
	}
	runtime.SetCPUProfileRate(0)
	ending := make(chan struct{})
	r.ending = ending
	go func() {
		defer close(ending)
		pprof.StopCPUProfile()
	}()
	r.cpuRunning = false
	r.segments = append(r.segments, segment{})
	r.segments[len(r.segments)-1].cpu = r.processCPU() - r.cpuFrom
}

// ended waits for the segment that is still being written.
func (r *recorder) ended() {
	if r.ending == nil {
		return
	}
	<-r.ending
	r.ending = nil
	r.segments[len(r.segments)-1].data = bytes.Clone(r.cpu.Bytes())
}

// stop ends the CPU profile and returns it, or nothing when it did not run.
func (r *recorder) stop() ([]reading, error) {
	r.pause()
	r.ended()
	segments := r.segments
	r.segments = nil
	if len(segments) == 0 {
		return nil, nil
	}
	data, err := joinSegments(segments)
	if err != nil {
		return nil, err
	}
	return []reading{{"cpu", data}}, nil
}

// drop ends the CPU profile, and nobody wants what it saw.
func (r *recorder) drop() {
	r.pause()
	r.ended()
	r.segments = nil
}

// read takes those of the profiles that are published.
func (r *recorder) read(profiles []string) ([]reading, error) {
	var readings []reading
	collected := false
	for _, profile := range profiles {
		if !r.has(profile) {
			continue
		}
		if !collected && (profile == "heap" || profile == "allocs") {
			// The runtime adds allocations to the profile when the cycle after them ends.
			runtime.GC()
			collected = true
		}
		var data bytes.Buffer
		if err := pprof.Lookup(profile).WriteTo(&data, 0); err != nil {
			return readings, fmt.Errorf("cannot read the profile %s: %w", profile, err)
		}
		readings = append(readings, reading{profile, data.Bytes()})
	}
	return readings, nil
}

// close ends the CPU profile and gives the rates back.
func (r *recorder) close() {
	r.drop()
	if r.has("block") {
		runtime.SetBlockProfileRate(0)
	}
	if r.mutexFraction >= 0 {
		runtime.SetMutexProfileFraction(r.mutexFraction)
		r.mutexFraction = -1
	}
}

// flags are what of the runtime's settings must be equal for two recordings to be comparable.
func (r *recorder) flags(s settings) []string {
	flags := []string{}
	if r.has("heap") || r.has("allocs") {
		flags = append(flags, fmt.Sprintf("memprofilerate=%d", runtime.MemProfileRate))
	}
	if r.has("block") {
		flags = append(flags, fmt.Sprintf("blockprofilerate=%d", s.blockProfileRate))
	}
	if r.has("mutex") {
		flags = append(flags, fmt.Sprintf("mutexprofilefraction=%d", s.mutexProfileFraction))
	}
	return flags
}
