package profileloop

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	flushBudget = 2 * time.Second
	// reserved of the invocation's time for the reply.
	reserved    = 500 * time.Millisecond
	maxFailures = 3
	// maxWaiting are windows of earlier runs that wait for the next flush; with it they fill the three rolling slots.
	maxWaiting = 2
	// maxBody is what the gate reads.
	maxBody     = 8 << 20
	putsAtOnce  = 4
	maxMessage  = 500
	maxPerReply = 20
)

// agent keeps the windows of this instance and publishes them. The proxy tells it of invocations, one after the other.
// No method panics or fails: what goes wrong is counted, and after three times in a row the agent is off.
type agent struct {
	settings settings
	writer   objectWriter
	clock    clock
	log      func(string)

	mu       sync.Mutex
	recorder *recorder
	limit    *rateLimit
	window   window
	// baseline are the counters at the start of the window's run, until they are published.
	baseline *capture
	sequence int
	invoked  bool
	// deadline of the invocation that went to the handler last.
	deadline time.Time
	waiting  []capture
	current  *invocation
	// problem is why a profile of the window is missing.
	problem  *failure
	failures int
	off      *failure
}

// invocation is the one that is running, if it is measured.
type invocation struct {
	request        string
	cold           bool
	start          time.Time
	cpu            time.Duration
	allocatedBytes uint64
}

// capture is what was recorded of one window.
type capture struct {
	window   window
	baseline *capture
	readings []reading
	failures []failure
}

func newAgent(s settings, writer objectWriter, clock clock, log func(string)) *agent {
	return &agent{
		settings: s, writer: writer, clock: clock, log: log,
		recorder: newRecorder(s, clock.cpu), limit: newRateLimit(3, time.Second, clock.now()),
	}
}

// begin tells that an event goes to the handler, which has until the deadline.
func (a *agent) begin(mark *mark, request string, deadline time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	defer a.recover()
	if a.isOff() {
		return
	}
	a.finish(false) // An invocation whose response was never seen.
	cold := !a.invoked
	a.invoked = true
	a.deadline = deadline
	if a.admit(mark) {
		a.current = &invocation{request, cold, a.clock.now(), a.clock.cpu(), a.clock.allocatedBytes()}
	}
}

// done tells that the handler's response or error is complete.
func (a *agent) done(failed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	defer a.recover()
	a.finish(failed)
}

// idle tells that the runtime client asks for the next event, before it is asked for: the caller has its answer, and the
// instance still runs. A window without a run that is full is published here.
func (a *agent) idle() {
	a.mu.Lock()
	defer a.mu.Unlock()
	defer a.recover()
	if a.isOff() {
		return
	}
	a.finish(false)
	if a.window.run != "" || a.settings.maxInvocations == 0 || a.window.invocations < a.settings.maxInvocations {
		return
	}
	until := a.budget(a.deadline)
	if !until.After(a.clock.now()) || a.limit.take(a.clock.now()) > 0 {
		return
	}
	a.store(a.collect(), reasonCount, until)
}

// flush publishes the window instead of an invocation, and answers with what was written.
func (a *agent) flush(mark mark, deadline time.Time) (reply flushReply) {
	a.mu.Lock()
	defer a.mu.Unlock()
	nothing := func(failures ...failure) flushReply {
		return a.reply(window{run: mark.run, commit: mark.commit}, nil, failures)
	}
	defer func() {
		if problem := a.recovered(recover()); problem != nil {
			reply = nothing(*problem)
		}
	}()
	if a.isOff() {
		return nothing(*a.off)
	}
	a.finish(false)
	if mark.hold > 0 && mark.hold < deadline.Sub(a.clock.now())-reserved {
		a.clock.sleep(mark.hold)
	}
	until := a.budget(deadline)
	// Another run's window is not this flush's to publish: its own flush, or the next run, takes it.
	if a.window.invocations == 0 || (mark.run != "" && mark.run != a.window.run) {
		return nothing()
	}
	tooLate := failure{a.settings.types[0], "Timeout",
		"Too little of the invocation is left to publish; the window is kept. Raise the timeout of the function."}
	if wait := a.limit.take(a.clock.now()); wait > 0 {
		if !a.clock.now().Add(wait).Before(until) {
			return nothing(tooLate)
		}
		a.clock.sleep(wait)
		a.limit.take(a.clock.now())
	}
	if !a.clock.now().Before(until) {
		return nothing(tooLate)
	}
	captured := a.collect()
	published, failures := a.store(captured, reasonFlush, until)
	for _, earlier := range a.waiting {
		if a.clock.now().Before(until) {
			a.store(earlier, reasonRunChange, until)
		}
	}
	a.waiting = nil
	return a.reply(captured.window, published, failures)
}

// end turns the agent off for good; invocations go on.
func (a *agent) end(code, message string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.turnOff(code, message)
}

func (a *agent) turnOff(code, message string) {
	if a.off == nil {
		a.off = &failure{a.settings.types[0], code, message}
		a.current = nil
		defer func() { _ = recover() }() // What cannot be ended will not be asked again.
		a.recorder.close()
	}
}

func (a *agent) isOff() bool {
	if until := a.settings.until; a.off == nil && !until.IsZero() && !a.clock.now().Before(until) {
		a.turnOff("Expired", "LAMBDA_PROFILE_UNTIL has passed.")
	}
	return a.off != nil
}

// admit puts the next invocation into a window; false when it belongs to none.
func (a *agent) admit(mark *mark) bool {
	var run, commit string
	if mark != nil {
		run, commit = mark.run, mark.commit
	}
	switch {
	case mark != nil && mark.op == "warmup":
		// Here nobody measures how long it takes.
		if run != a.window.run {
			a.retire(window{})
		}
		a.recorder.pause()
		return false
	case run == "":
		if a.settings.markerOnly {
			a.recorder.pause()
			return false
		}
		// Other callers' traffic never mixes with a run; once the run has been flushed, it gets a window of its own.
		if a.window.run != "" && a.window.invocations == 0 {
			a.retire(window{})
		}
		if a.window.run != "" {
			// Its CPU is not the run's.
			a.recorder.pause()
			return false
		}
	case run != a.window.run:
		a.retire(window{run: run, commit: commit})
		readings, err := a.recorder.read(counters)
		if err != nil {
			a.noteFailure("InternalError", err.Error())
		}
		if len(readings) > 0 {
			now := a.clock.now()
			a.baseline = &capture{window: window{run: run, commit: commit, start: now, end: now}, readings: readings}
		}
	}
	if err := a.recorder.start(); err != nil {
		a.problem = &failure{"cpu", "CpuProfilerInUse", err.Error()}
	}
	return true
}

// retire ends the window for the next one. That of an unflushed run waits for the next flush.
func (a *agent) retire(next window) {
	if a.window.run != "" && a.window.invocations > 0 {
		a.waiting = append(a.waiting, a.collect())
		if len(a.waiting) > maxWaiting {
			a.waiting = a.waiting[1:]
		}
	}
	a.recorder.drop()
	a.baseline, a.problem, a.window = nil, nil, next
}

func (a *agent) finish(failed bool) {
	if a.current == nil {
		return
	}
	i := *a.current
	a.current = nil
	a.window.add(cost{
		request: i.request, failed: failed, cold: i.cold, start: i.start, duration: a.clock.now().Sub(i.start),
		cpu: a.clock.cpu() - i.cpu, allocatedBytes: a.clock.allocatedBytes() - i.allocatedBytes,
	})
}

// collect takes what was recorded of the window, and opens the next of the same run.
func (a *agent) collect() capture {
	captured := capture{window: a.window, baseline: a.baseline}
	cpu, err := a.recorder.stop()
	captured.readings = cpu
	if err != nil {
		captured.failures = append(captured.failures, failure{"cpu", "InternalError", err.Error()})
	}
	if a.problem != nil {
		captured.failures = append(captured.failures, *a.problem)
	}
	for _, profiles := range [][]string{counters, states} {
		readings, err := a.recorder.read(profiles)
		captured.readings = append(captured.readings, readings...)
		if err != nil {
			captured.failures = append(captured.failures, failure{profiles[0], "InternalError", err.Error()})
		}
	}
	a.baseline, a.problem = nil, nil
	a.window = window{run: a.window.run, commit: a.window.commit}
	return captured
}

// object is one profile on its way to S3.
type object struct {
	snapshot snapshot
	reading  reading
}

// store writes what was captured; the counters at the start of the run, when they are new, as a snapshot of their own.
func (a *agent) store(c capture, reason string, until time.Time) ([]publishedObject, []failure) {
	var objects []object
	add := func(of capture, reason string) {
		if len(of.readings) == 0 {
			return
		}
		shared := snapshot{a.settings, of.window, a.sequence, reason, a.recorder.flags(a.settings)}
		a.sequence++
		for _, reading := range of.readings {
			objects = append(objects, object{shared, reading})
		}
	}
	if c.baseline != nil {
		add(*c.baseline, reasonRunChange)
	}
	add(c, reason)

	ctx, cancel := context.WithTimeout(context.Background(), until.Sub(a.clock.now()))
	defer cancel()
	published := make([]*publishedObject, len(objects))
	problems := make([]*failure, len(objects))
	turns := make(chan struct{}, putsAtOnce)
	var writes sync.WaitGroup
	for i, object := range objects {
		turns <- struct{}{}
		writes.Go(func() {
			defer func() { <-turns }()
			published[i], problems[i] = a.publish(ctx, object)
		})
	}
	writes.Wait()
	a.writer.rest()

	failures := c.failures
	var written []publishedObject
	for i := range objects {
		if published[i] != nil {
			written = append(written, *published[i])
		} else if problems[i] != nil {
			failures = append(failures, *problems[i])
		}
	}
	if len(failures) == 0 {
		a.failures = 0
	} else {
		last := failures[len(failures)-1]
		a.noteFailure(last.Code, last.Message)
	}
	return written, failures
}

func (a *agent) publish(ctx context.Context, o object) (published *publishedObject, problem *failure) {
	profile := o.reading.profile
	defer func() {
		if cause := recover(); cause != nil {
			published, problem = nil, &failure{profile, "InternalError", cut(fmt.Sprint(cause))}
		}
	}()
	body, err := withComment(o.reading.data, o.snapshot.comment(profile))
	if err != nil {
		return nil, &failure{profile, "InternalError", cut(err.Error())}
	}
	if len(body) > maxBody {
		return nil, &failure{profile, "TooLarge", fmt.Sprintf(
			"The profile has %d bytes, more than %d. Invoke less often between flushes.", len(body), maxBody)}
	}
	key := o.snapshot.key(profile)
	etag, err := a.writer.put(ctx, key, body, o.snapshot.metadata())
	var refused *s3Error
	switch {
	case err == nil:
		return &publishedObject{profile, key, etag, len(body)}, nil
	case ctx.Err() != nil:
		return nil, &failure{profile, "Timeout", "The time for publishing was over before S3 answered."}
	case errors.As(err, &refused):
		return nil, &failure{profile, refused.code, cut(refused.message)}
	default:
		return nil, &failure{profile, "InternalError", cut(err.Error())}
	}
}

func (a *agent) reply(of window, published []publishedObject, failures []failure) flushReply {
	reply := flushReply{
		V: 1, Instance: a.settings.instance, Run: nullable(of.run), Invocations: of.invocations, Errors: of.errors,
		CPUMs: milliseconds(of.cpu), ActiveMs: milliseconds(of.active), Requests: string(of.requests),
		Published: []publishedObject{}, Failures: []failure{},
	}
	reply.Published = append(reply.Published, published[:min(len(published), maxPerReply)]...)
	reply.Failures = append(reply.Failures, failures[:min(len(failures), maxPerReply)]...)
	return reply
}

// budget is until when publishing may take.
func (a *agent) budget(deadline time.Time) time.Time {
	until := a.clock.now().Add(flushBudget)
	if latest := deadline.Add(-reserved); latest.Before(until) {
		return latest
	}
	return until
}

func (a *agent) noteFailure(code, message string) {
	if a.failures++; a.failures < maxFailures || a.off != nil {
		return
	}
	a.turnOff(code, message)
	defer func() { _ = recover() }() // Nothing is left to tell it to.
	a.log(fmt.Sprintf("off after %d failures in a row, the last one: %s: %s", maxFailures, code, message))
}

// recover is deferred: the agent's own mistakes never reach the function.
func (a *agent) recover() { a.recovered(recover()) }

func (a *agent) recovered(cause any) *failure {
	if cause == nil {
		return nil
	}
	problem := failure{a.settings.types[0], "InternalError", cut(fmt.Sprint(cause))}
	a.noteFailure(problem.Code, problem.Message)
	return &problem
}

func cut(message string) string { return message[:min(len(message), maxMessage)] }
