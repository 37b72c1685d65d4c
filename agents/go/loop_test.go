package profileloop

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"time"
)

// message inflates a snapshot.
func message(t *testing.T, body []byte) []byte {
	t.Helper()
	reader, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	message, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return message
}

// readComment finds the window in a snapshot: the comment is the last string of the table.
func readComment(t *testing.T, body []byte) comment {
	t.Helper()
	text := message(t, body)
	at := bytes.LastIndex(text, []byte("lambda-profile:{"))
	if at < 0 {
		t.Fatal("the snapshot has no comment")
	}
	var c comment
	if err := json.NewDecoder(bytes.NewReader(text[at+len("lambda-profile:"):])).Decode(&c); err != nil {
		t.Fatal(err)
	}
	return c
}

// burn uses CPU for a while, and allocates.
func burn(payload []byte) (string, error) {
	var kept [][]byte
	for until := processCPU() + 20*time.Millisecond; processCPU() < until; {
		kept = append(kept, make([]byte, 1<<14))
		if len(kept) > 100 {
			kept = kept[:0]
		}
	}
	if strings.Contains(string(payload), "fail") {
		return "", errors.New("no such order")
	}
	return "ok " + string(payload), nil
}

func TestARun(t *testing.T) {
	f := startFunction(t, testSettings("cpu", "heap", "goroutine"), burn)
	for range 3 {
		f.invoke(t, "warm", clientContext("warmup", "run-1"))
	}
	for i := range 10 {
		payload := "order"
		if i == 4 {
			payload = "fail"
		}
		p := f.invoke(t, payload, clientContext("invoke", "run-1"))
		if want := map[bool]string{true: "error", false: "response"}[i == 4]; p.outcome != want {
			t.Fatalf("invocation %d ended with %q, not %q", i, p.outcome, want)
		}
	}
	reply := f.flush(t, "run-1", "lambda-profile.hold", "20")
	if len(reply.Requests) != 8*10 || strings.Trim(reply.Requests, "0123456789abcdef") != "" {
		t.Errorf("the request ids are %q", reply.Requests)
	}
	if reply.Run == nil || *reply.Run != "run-1" || reply.Invocations != 10 || reply.Errors != 1 || len(reply.Failures) != 0 {
		t.Fatalf("unexpected reply: %+v", reply)
	}
	var keys []string
	for _, object := range reply.Published {
		keys = append(keys, object.Key[strings.LastIndex(object.Key, "/")+1:])
	}
	instance := testSettings().instance
	want := []string{
		"0-heap." + instance + ".profile",
		"1-cpu." + instance + ".profile", "1-heap." + instance + ".profile", "1-goroutine." + instance + ".profile",
	}
	if !reflect.DeepEqual(keys, want) {
		t.Fatalf("published %v, not %v", keys, want)
	}
	heap := f.bucket.comments(t, "heap")
	if heap[0].Reason != "run-change" || heap[0].Invocations.N != 0 || heap[0].Kind != "cumulative" || heap[0].Run != "run-1" {
		t.Errorf("the counters at the start of the run are %+v", heap[0])
	}
	cpu := f.bucket.comments(t, "cpu")[0]
	if cpu.Kind != "delta" || cpu.Sequence != 1 || cpu.Reason != "flush" || cpu.Commit != "0123abc" {
		t.Errorf("the comment is %+v", cpu)
	}
	if cpu.Invocations.N != 10 || cpu.Invocations.Errors != 1 || cpu.Invocations.Cold != 0 {
		t.Errorf("the invocations are %+v", cpu.Invocations)
	}
	if cpu.Time.CPUMs < 50 || cpu.Time.ActiveMs < 50 || cpu.Time.P50Ms > cpu.Time.P90Ms || cpu.Time.Start > cpu.Time.End {
		t.Errorf("the times are %+v", cpu.Time)
	}
	if cpu.Allocated < 10*(1<<14) {
		t.Errorf("%d bytes were allocated", cpu.Allocated)
	}
	if cpu.Language != "go "+strings.TrimPrefix(runtime.Version(), "go") || len(cpu.Flags) != 1 {
		t.Errorf("language %q, flags %v", cpu.Language, cpu.Flags)
	}
	for _, object := range f.bucket.objects {
		if object.metadata["lambda-profile-run"] != "run-1" || object.metadata["lambda-profile-instance"] != instance {
			t.Errorf("the metadata are %v", object.metadata)
		}
	}
	if again := f.flush(t, "run-1"); again.Invocations != 0 || len(again.Published) != 0 {
		t.Errorf("a flush of an empty window published %+v", again)
	}
}

func TestAPlainFunction(t *testing.T) {
	f := startFunction(t, testSettings("cpu"), burn)
	if p := f.invoke(t, `{"id":1}`, ""); p.body != `ok {"id":1}` || p.outcome != "response" {
		t.Errorf("the answer is %+v", p)
	}
	if p := f.invoke(t, "x", `{"client":{"app_title":"shop"},"custom":{"tenant":"a"}}`); p.body != "ok x" {
		t.Errorf("another application's context changed the answer to %+v", p)
	}
	if len(f.bucket.objects) != 0 {
		t.Errorf("%d objects were written", len(f.bucket.objects))
	}
}

func TestWindowsBelongToOneRun(t *testing.T) {
	f := startFunction(t, testSettings("cpu"), burn)
	f.invoke(t, "", "") // outside any run: dropped
	for range 3 {
		f.invoke(t, "", clientContext("invoke", "run-a"))
	}
	f.invoke(t, "", "") // foreign traffic during a run counts for nobody
	f.invoke(t, "", clientContext("invoke", "run-b"))
	if reply := f.flush(t, "run-c"); reply.Invocations != 0 || len(reply.Published) != 0 {
		t.Errorf("another run's flush published %+v", reply)
	}
	if reply := f.flush(t, "run-b"); reply.Invocations != 1 || len(reply.Published) != 1 {
		t.Errorf("the reply is %+v", reply)
	}
	var windows []string
	for _, c := range f.bucket.comments(t, "cpu") {
		windows = append(windows, c.Run+" "+c.Reason)
	}
	if want := []string{"run-b flush", "run-a run-change"}; !reflect.DeepEqual(windows, want) {
		t.Errorf("published %v, not %v", windows, want)
	}
}

func TestAFullWindowIsPublishedAfterTheResponse(t *testing.T) {
	s := testSettings("cpu")
	s.maxInvocations = 2
	f := startFunction(t, s, burn)
	entered, release := make(chan struct{}), make(chan struct{})
	f.bucket.refuse = func(context.Context, string) error {
		entered <- struct{}{}
		<-release
		return nil
	}
	f.invoke(t, "", "")
	if p := f.invoke(t, "", ""); p.outcome != "response" { // answered while nothing is published yet
		t.Fatalf("the answer is %+v", p)
	}
	<-entered
	close(release)
	f.invoke(t, "", "")
	comments := f.bucket.comments(t, "cpu")
	if len(comments) != 1 || comments[0].Run != "" || comments[0].Reason != "count" || comments[0].Invocations.N != 2 {
		t.Errorf("published %+v", comments)
	}
	if comments[0].Invocations.Cold != 1 {
		t.Error("the first invocation of the instance is a cold one")
	}
}

func TestMarkerMode(t *testing.T) {
	s := testSettings("cpu")
	s.markerOnly, s.maxInvocations = true, 1
	f := startFunction(t, s, burn)
	f.invoke(t, "", "")
	f.invoke(t, "", clientContext("invoke", "../../other run"))
	f.invoke(t, "", clientContext("invoke", "r"))
	if reply := f.flush(t, "r"); reply.Invocations != 1 {
		t.Errorf("the reply is %+v", reply)
	}
	if len(f.bucket.objects) != 1 {
		t.Errorf("%d objects were written", len(f.bucket.objects))
	}
}

func TestThreeFailuresInARow(t *testing.T) {
	f := startFunction(t, testSettings("cpu"), burn)
	f.bucket.refuse = func(context.Context, string) error { return &s3Error{"AccessDenied", "no", false} }
	for i := range 3 {
		f.invoke(t, "", clientContext("invoke", "r"))
		reply := f.flush(t, "r")
		if len(reply.Failures) != 1 || reply.Failures[0].Code != "AccessDenied" || reply.Invocations != 1 {
			t.Fatalf("reply %d is %+v", i, reply)
		}
	}
	f.bucket.refuse = func(context.Context, string) error { panic("asked although it is off") }
	if p := f.invoke(t, "x", clientContext("invoke", "r")); p.body != "ok x" {
		t.Errorf("the answer is %+v", p)
	}
	if reply := f.flush(t, "r"); reply.Failures[0].Code != "AccessDenied" || reply.Invocations != 0 {
		t.Errorf("the reply is %+v", reply)
	}
	if strings.Count(f.log.String(), "\n") != 1 || !strings.Contains(f.log.String(), "off after 3 failures") {
		t.Errorf("the log is %q", f.log)
	}
}

// brokenWriter panics where a test says so.
type brokenWriter struct {
	fakeBucket
	onRest bool
}

func (w *brokenWriter) rest() {
	if w.onRest {
		panic("broken")
	}
}

func TestAMistakeOfTheAgentIsNotTheFunctions(t *testing.T) {
	broken := func() { panic("broken") }
	for _, test := range []struct {
		step string
		fail func(a *agent)
	}{
		{"the clock", func(a *agent) { a.clock.now = func() time.Time { panic("broken") } }},
		{"the clock that tells when profiling ends", func(a *agent) {
			a.settings.until = time.Now().Add(time.Hour)
			a.clock.now = func() time.Time { panic("broken") }
		}},
		{"the CPU clock", func(a *agent) { a.clock.cpu = func() time.Duration { panic("broken") } }},
		{"the recorder's CPU clock", func(a *agent) { a.recorder.processCPU = func() time.Duration { panic("broken") } }},
		{"the count of allocations", func(a *agent) { a.clock.allocatedBytes = func() uint64 { panic("broken") } }},
		{"sleeping", func(a *agent) { a.clock.sleep = func(time.Duration) { broken() } }},
		{"the rate limit", func(a *agent) { a.limit = nil }},
		{"the recorder", func(a *agent) { a.recorder = nil }},
		{"what the recorder has", func(a *agent) { a.recorder.segments = []segment{{data: []byte("nothing")}} }},
		{"writing", func(a *agent) {
			a.writer = &brokenWriter{fakeBucket: fakeBucket{refuse: func(context.Context, string) error { panic("broken") }}}
		}},
		{"closing connections", func(a *agent) { a.writer = &brokenWriter{onRest: true} }},
		{"the log", func(a *agent) {
			a.writer = &brokenWriter{onRest: true}
			a.log = func(string) { broken() }
		}},
	} {
		for _, when := range []string{"from the start", "in a window"} {
			t.Run(test.step+" "+when, func(t *testing.T) {
				t.Cleanup(pprof.StopCPUProfile) // A recorder that was taken away cannot.
				s := testSettings("cpu", "heap", "goroutine", "mutex")
				s.maxInvocations = 2
				f := startFunction(t, s, func(payload []byte) (string, error) {
					if string(payload) == "fail" {
						return "", errors.New("no such order")
					}
					return "ok " + string(payload), nil
				})
				if when == "in a window" {
					f.invoke(t, "x", clientContext("invoke", "r"))
				}
				f.loop.agent.mu.Lock()
				test.fail(f.loop.agent)
				f.loop.agent.mu.Unlock()
				for i := range 4 {
					for _, context := range []string{"", clientContext("warmup", "r"), clientContext("invoke", "r"), clientContext("invoke", fmt.Sprint("r", i))} {
						if p := f.invoke(t, "x", context); p.body != "ok x" || p.outcome != "response" {
							t.Fatalf("the answer is %+v", p)
						}
						if p := f.invoke(t, "fail", context); p.body != "no such order" || p.outcome != "error" {
							t.Fatalf("the answer is %+v", p)
						}
					}
					// It answers, whatever it says.
					f.flush(t, "r", "lambda-profile.hold", "1")
				}
			})
		}
	}
}

func TestAFlushHasABudget(t *testing.T) {
	f := startFunction(t, testSettings("cpu"), burn)
	f.invoke(t, "", clientContext("invoke", "r"))
	late := f.api.invoke(t, event{id: "late", payload: "{}", clientContext: clientContext("flush", "r"), timeout: 400 * time.Millisecond})
	if reply := decodeReply(t, late.body); reply.Failures[0].Code != "Timeout" || len(reply.Published) != 0 {
		t.Errorf("the reply is %+v", reply)
	}
	f.bucket.refuse = func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() }
	slow := f.api.invoke(t, event{id: "slow", payload: "{}", clientContext: clientContext("flush", "r"), timeout: 1500 * time.Millisecond})
	if reply := decodeReply(t, slow.body); reply.Failures[0].Code != "Timeout" || reply.Invocations != 1 {
		t.Errorf("the reply is %+v", reply)
	}
}

func TestAnotherProfilerInTheProcess(t *testing.T) {
	var theirs bytes.Buffer
	if err := pprof.StartCPUProfile(&theirs); err != nil {
		t.Fatal(err)
	}
	defer pprof.StopCPUProfile()
	f := startFunction(t, testSettings("cpu", "goroutine"), burn)
	f.invoke(t, "", clientContext("invoke", "r"))
	reply := f.flush(t, "r")
	if len(reply.Published) != 1 || reply.Published[0].Type != "goroutine" || reply.Failures[0].Code != "CpuProfilerInUse" {
		t.Errorf("the reply is %+v", reply)
	}
}

func TestRatesAreGivenBack(t *testing.T) {
	before := runtime.SetMutexProfileFraction(7)
	defer runtime.SetMutexProfileFraction(before)
	l, err := startLoop(testSettings("mutex", "block"), &fakeBucket{}, systemClock, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	if rate := runtime.SetMutexProfileFraction(-1); rate != 1 {
		t.Errorf("the fraction is %d while profiling", rate)
	}
	l.close()
	if rate := runtime.SetMutexProfileFraction(-1); rate != 7 {
		t.Errorf("the fraction is %d afterwards", rate)
	}
}

func TestNothingIsLeftRunning(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("function", func(t *testing.T) {
		f := startFunction(t, testSettings("cpu", "heap"), burn)
		f.invoke(t, "", clientContext("invoke", "r"))
		f.flush(t, "r")
		f.invoke(t, "", clientContext("invoke", "r"))
	})
	for until := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before && time.Now().Before(until); {
		time.Sleep(10 * time.Millisecond)
	}
	if now := runtime.NumGoroutine(); now > before {
		stacks := make([]byte, 1<<16)
		t.Errorf("%d goroutines, %d before:\n%s", now, before, stacks[:runtime.Stack(stacks, true)])
	}
}

func TestEndedProfilingLeavesTheFunctionAlone(t *testing.T) {
	f := startFunction(t, testSettings("cpu"), burn)
	f.invoke(t, "", clientContext("invoke", "r"))
	f.loop.agent.end("Stopped", "for a test")
	if p := f.invoke(t, "x", clientContext("invoke", "r")); p.body != "ok x" {
		t.Errorf("the answer is %+v", p)
	}
	if reply := f.flush(t, "r"); reply.Failures[0].Code != "Stopped" {
		t.Errorf("the reply is %+v", reply)
	}
}

func TestStreamsAndTheirTrailersPass(t *testing.T) {
	f := startFunction(t, testSettings("cpu"), burn)
	f.invoke(t, "", clientContext("invoke", "r"))
	// The function's own client waits for an event now; this is a second connection of it.
	reader, writer := io.Pipe()
	url := "http://" + f.loop.proxy.address() + invocationPath + "stream-1/response"
	request, _ := http.NewRequest(http.MethodPost, url, reader)
	request.Trailer = http.Header{"Lambda-Runtime-Function-Error-Type": nil}
	answered := make(chan error, 1)
	go func() {
		response, err := http.DefaultTransport.RoundTrip(request)
		if err == nil {
			response.Body.Close()
		}
		answered <- err
	}()
	io.WriteString(writer, "half ")
	io.WriteString(writer, "a stream")
	request.Trailer.Set("Lambda-Runtime-Function-Error-Type", "Cut")
	writer.Close()
	p := <-f.api.posts
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	if p.body != "half a stream" || p.trailer.Get("Lambda-Runtime-Function-Error-Type") != "Cut" {
		t.Errorf("posted %+v", p)
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestTheExtensionsAPIPasses(t *testing.T) {
	f := startFunction(t, testSettings("cpu"), burn)
	request, _ := http.NewRequest(http.MethodPost, "http://"+f.loop.proxy.address()+"/2020-01-01/extension/register", strings.NewReader(`{"events":[]}`))
	request.Header.Set("Lambda-Extension-Name", "GoLangEnableSIGTERM")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer response.Body.Close()
	if seen := <-f.api.others; seen.Header.Get("Lambda-Extension-Name") != "GoLangEnableSIGTERM" {
		t.Errorf("the API saw %v", seen.Header)
	}
	if response.Header.Get("Lambda-Extension-Identifier") != "extension-1" {
		t.Errorf("the client saw %v", response.Header)
	}
}
