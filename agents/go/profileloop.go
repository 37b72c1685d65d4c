// Package profileloop publishes the profiles of an AWS Lambda function to S3: one call in main, before lambda.Start,
// and nothing else of the function changes.
//
//	func main() {
//		profileloop.ScheduleProfileLoop(context.Background(), nil, "cpu", "heap")
//		lambda.Start(handler)
//	}
//
// Nothing runs on a timer, because timers stand still while an instance is frozen. Instead a proxy inside the process
// stands between the runtime client and the Runtime API: it sees every invocation, cuts windows at them, and answers a
// flush by writing the window's profiles to S3 before the invocation ends. Without a bucket nothing is started.
//
// The environment variables are those of the Node.js agent: LAMBDA_PROFILE_BUCKET, LAMBDA_PROFILE_STACK,
// LAMBDA_PROFILE_PREFIX, LAMBDA_PROFILE_TYPES, LAMBDA_PROFILE_MODE, LAMBDA_PROFILE_MAX_INVOCATIONS,
// LAMBDA_PROFILE_HEAP_INTERVAL_BYTES, LAMBDA_PROFILE_UNTIL and LAMBDA_PROFILE_DISABLE.
package profileloop

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// Options are what the environment does not say. A zero field takes its default.
type Options struct {
	// Bucket to publish to, instead of LAMBDA_PROFILE_BUCKET.
	Bucket string
	// BlockProfileRate is given to [runtime.SetBlockProfileRate] when the profile "block" is published: one sample for
	// so many nanoseconds blocked. Default 10,000. When profiling ends the rate is 0 again.
	BlockProfileRate int
	// MutexProfileFraction is given to [runtime.SetMutexProfileFraction] when the profile "mutex" is published: one of
	// so many contentions. Default 10. When profiling ends the fraction is what it was.
	MutexProfileFraction int
}

var scheduled atomic.Bool

// ScheduleProfileLoop starts publishing profiles of this process. Call it in main, before lambda.Start, which reads the
// address of the Runtime API that this call changes.
//
// The profile names are "cpu", "heap", "allocs", "goroutine", "threadcreate", "block" and "mutex"; none takes
// LAMBDA_PROFILE_TYPES, and then "cpu". The name and the last argument are those of the function in mweagle/Sparta; its
// two durations have no counterpart, because windows end when a flush is asked for.
//
// When ctx is done profiling ends for good, and the function goes on. A function is never failed: what the environment
// asks for and cannot be done is one line in the log, and the agent stays off. Calls after the first do nothing.
func ScheduleProfileLoop(ctx context.Context, options *Options, profileNames ...string) {
	if !scheduled.CompareAndSwap(false, true) {
		return
	}
	if options == nil {
		options = &Options{}
	}
	log := func(line string) { fmt.Fprintln(os.Stderr, "lambda-profile: "+line) }
	settings, notice := readSettings(os.LookupEnv, *options, profileNames, time.Now(), randomInstance)
	if notice != "" {
		log("off: " + notice)
	}
	if settings == nil {
		return
	}
	loop, err := startLoop(*settings, newS3Writer(settings.bucket, settings.s3), systemClock, log)
	if err != nil {
		log("off: " + err.Error())
		return
	}
	if err := os.Setenv(runtimeAPIVariable, loop.proxy.address()); err != nil {
		log("off: " + err.Error())
		loop.close()
		return
	}
	// The proxy stays: the runtime client knows no other address.
	context.AfterFunc(ctx, func() { loop.agent.end("Stopped", "The context of ScheduleProfileLoop is done.") })
}

// loop is a running agent and the proxy that tells it of invocations.
type loop struct {
	agent *agent
	proxy *proxy
}

func startLoop(settings settings, writer objectWriter, clock clock, log func(string)) (*loop, error) {
	agent := newAgent(settings, writer, clock, log)
	proxy, err := startProxy(settings.runtimeAPI, agent)
	if err != nil {
		agent.end("InternalError", err.Error())
		return nil, err
	}
	return &loop{agent, proxy}, nil
}

// close ends everything that was started, and waits for its goroutines.
func (l *loop) close() {
	l.agent.end("Stopped", "The loop is closed.")
	l.proxy.close()
}

func randomInstance() string {
	var id [16]byte
	rand.Read(id[:]) // never fails, by its documentation
	return hex.EncodeToString(id[:])
}
