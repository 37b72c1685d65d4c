package profileloop

import (
	"context"
	"os"
	"testing"
)

// The call as it stands in main; lambda.Start(handler) follows.
func ExampleScheduleProfileLoop() {
	ScheduleProfileLoop(context.Background(), &Options{MutexProfileFraction: 5}, "cpu", "heap", "mutex")
}

func TestScheduleProfileLoop(t *testing.T) {
	api := startRuntimeAPI(t)
	t.Setenv(runtimeAPIVariable, api.host())
	schedule := func() string {
		scheduled.Store(false)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		ScheduleProfileLoop(ctx, nil)
		return os.Getenv(runtimeAPIVariable)
	}
	if address := schedule(); address != api.host() {
		t.Errorf("without a bucket the address of the Runtime API became %s", address)
	}
	t.Setenv("LAMBDA_PROFILE_BUCKET", "octo-profiles")
	t.Setenv("LAMBDA_PROFILE_TYPES", "wall")
	if address := schedule(); address != api.host() {
		t.Errorf("with a setting that makes no sense the address became %s", address)
	}
	t.Setenv("LAMBDA_PROFILE_TYPES", "cpu")
	address := schedule()
	if address == api.host() {
		t.Error("with a bucket the address is not the proxy's")
	}
	ScheduleProfileLoop(context.Background(), nil)
	if again := os.Getenv(runtimeAPIVariable); again != address {
		t.Errorf("a second call changed the address to %s", again)
	}
}
