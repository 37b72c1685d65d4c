package profileloop

import (
	"bytes"
	"math"
	"runtime/pprof"
	"strings"
	"testing"
	"time"
)

//go:noinline
func pricing(d time.Duration) float64 {
	sum := 0.0
	for until := processCPU() + d; processCPU() < until; {
		for i := range 20_000 {
			sum += math.Sqrt(float64(i))
		}
	}
	return sum
}

//go:noinline
func foreign(d time.Duration) float64 {
	sum := 0.0
	for until := processCPU() + d; processCPU() < until; {
		for i := range 20_000 {
			sum += math.Cbrt(float64(i))
		}
	}
	return sum
}

// readCPU checks that every reference of a CPU profile leads somewhere, and returns its CPU in all and by the functions
// that are on a stack.
func readCPU(t *testing.T, message []byte) (time.Duration, map[string]time.Duration) {
	t.Helper()
	fail := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	var names []string
	functions := map[uint64]uint64{}
	locations := map[uint64][]uint64{}
	mappings := map[uint64]bool{0: true}
	var used []uint64
	id := func(message []byte, number uint64) (value uint64) {
		fail(eachField(message, func(f field) error {
			if f.number == number {
				value = f.value
			}
			return nil
		}))
		return value
	}
	fail(eachField(message, func(f field) error {
		switch f.number {
		case 3:
			mappings[id(f.bytes, 1)] = true
		case 4:
			fail(eachField(f.bytes, func(line field) error {
				if line.number == 4 {
					locations[id(f.bytes, 1)] = append(locations[id(f.bytes, 1)], id(line.bytes, 1))
				}
				return nil
			}))
			used = append(used, id(f.bytes, 2))
		case 5:
			functions[id(f.bytes, 1)] = id(f.bytes, 2)
		case 6:
			names = append(names, string(f.bytes))
		}
		return nil
	}))
	for _, mapping := range used {
		if !mappings[mapping] {
			t.Fatalf("no mapping %d", mapping)
		}
	}
	all, of := time.Duration(0), map[string]time.Duration{}
	fail(eachField(message, func(f field) error {
		if f.number != 2 {
			return nil
		}
		values, err := sampleValues(f.bytes)
		fail(err)
		cpu := time.Duration(values[1])
		all += cpu
		seen := map[string]bool{}
		visit := func(location uint64) {
			lines, ok := locations[location]
			if !ok {
				t.Fatalf("no location %d", location)
			}
			for _, function := range lines {
				name := names[functions[function]]
				if !seen[name] {
					of[name[strings.LastIndex(name, "/")+1:]] += cpu
				}
				seen[name] = true
			}
		}
		return eachField(f.bytes, func(stack field) error {
			if stack.number == 1 && stack.wire == wireVarint {
				visit(stack.value)
			} else if stack.number == 1 {
				return eachVarint(stack.bytes, visit)
			}
			return nil
		})
	}))
	return all, of
}

func TestTheCPUProfileHoldsAllCPUOfTheWindowsSegments(t *testing.T) {
	r := newRecorder(testSettings("cpu"), processCPU)
	used := time.Duration(0)
	for range 3 {
		if err := r.start(); err != nil {
			t.Fatal(err)
		}
		from := processCPU()
		pricing(60 * time.Millisecond)
		used += processCPU() - from
		r.pause()
		foreign(60 * time.Millisecond)
	}
	readings, err := r.stop()
	if err != nil || len(readings) != 1 {
		t.Fatal(readings, err)
	}
	all, of := readCPU(t, message(t, readings[0].data))
	if ratio := float64(all) / float64(used); ratio < 0.95 || ratio > 1.15 {
		t.Errorf("the profile has %v of %v", all, used)
	}
	if of["go.pricing"] < all/2 || of["go.foreign"] != 0 {
		t.Errorf("of %v, pricing has %v and what was not to be measured has %v", all, of["go.pricing"], of["go.foreign"])
	}
	if again, err := r.stop(); again != nil || err != nil {
		t.Errorf("a second stop returned %v, %v", again, err)
	}
}

func TestForeignCallsAreNotInTheProfileOfARun(t *testing.T) {
	f := startFunction(t, testSettings("cpu"), func(payload []byte) (string, error) {
		if string(payload) == "foreign" {
			foreign(40 * time.Millisecond)
		} else {
			pricing(40 * time.Millisecond)
		}
		return "ok", nil
	})
	for range 3 {
		f.invoke(t, "order", clientContext("invoke", "run-1"))
		f.invoke(t, "foreign", "")
	}
	if reply := f.flush(t, "run-1"); reply.Invocations != 3 || len(reply.Published) != 1 || len(reply.Failures) != 0 {
		t.Fatalf("the reply is %+v", reply)
	}
	all, of := readCPU(t, message(t, f.bucket.objects[0].body))
	if all < 100*time.Millisecond || of["go.pricing"] == 0 || of["go.foreign"] != 0 {
		t.Errorf("of %v, pricing has %v and the foreign calls have %v", all, of["go.pricing"], of["go.foreign"])
	}
}

func TestACPUProfileThatIsNotOneIsRefused(t *testing.T) {
	var profile bytes.Buffer
	if err := pprof.StartCPUProfile(&profile); err != nil {
		t.Fatal(err)
	}
	pricing(30 * time.Millisecond)
	pprof.StopCPUProfile()
	for cut := range profile.Len() {
		if _, err := joinSegments([]segment{{profile.Bytes()[:cut], time.Second}}); err == nil {
			t.Fatalf("%d of %d bytes were taken for a profile", cut, profile.Len())
		}
	}
	whole := message(t, profile.Bytes())
	for cut := range whole {
		// A cut between two fields is a message, any other is not: neither may panic.
		r := rewriter{nanosPerSample: 1}
		_, _ = r.message(nil, whole[:cut], profileFields)
	}
}
