package profileloop

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const runtimeAPIVariable = "AWS_LAMBDA_RUNTIME_API"

// settings is everything that the environment and the caller decide, read once.
type settings struct {
	bucket string
	stack  string
	prefix string
	types  []string
	// heapIntervalBytes is for runtime.MemProfileRate; 0 leaves it as it is.
	heapIntervalBytes    int
	blockProfileRate     int
	mutexProfileFraction int
	// markerOnly measures only invocations that carry the run protocol.
	markerOnly bool
	// maxInvocations is when a window without a run is published; 0 is never.
	maxInvocations int
	// until is when the agent ends by itself; the zero time is never.
	until time.Time
	// instance is the opaque id of this execution environment, safe in an object key.
	instance        string
	function        string
	functionVersion string
	memoryMB        int
	runtime         string
	runtimeAPI      string
	s3              s3Settings
}

// s3Settings is where and as whom to write; the credentials are those of the execution role.
type s3Settings struct {
	region string
	// endpoint is addressed path-style; empty is Amazon S3 of the region.
	endpoint        string
	accessKeyID     string
	secretAccessKey string
	sessionToken    string
}

// profileTypes are the profiles that can be published, each a folder of the key layout.
var profileTypes = []string{"cpu", "heap", "allocs", "goroutine", "threadcreate", "block", "mutex"}

var (
	bucketName   = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	prefixName   = regexp.MustCompile(`^[A-Za-z0-9!_.*'()/-]{1,512}$`)
	endpointURL  = regexp.MustCompile(`^https?://[^/?#]+/?$`)
	notInSegment = regexp.MustCompile(`[^A-Za-z0-9_.-]`)
	logStreamID  = regexp.MustCompile(`[0-9a-f]{32}$`)
	onlyDots     = regexp.MustCompile(`^\.*$`)
)

// readSettings returns nil when the agent is to stay off. A notice is worth one log line; silence is not a mistake.
func readSettings(
	lookup func(string) (string, bool), options Options, names []string, now time.Time, random func() string,
) (*settings, string) {
	env := func(names ...string) string {
		for _, name := range names {
			if value, _ := lookup(name); value != "" {
				return value
			}
		}
		return ""
	}
	bucket := options.Bucket
	if bucket == "" {
		bucket = env("LAMBDA_PROFILE_BUCKET", "SPARTA_PROFILE_BUCKET_NAME")
	}
	runtimeAPI := env(runtimeAPIVariable)
	if bucket == "" || runtimeAPI == "" || env("LAMBDA_PROFILE_DISABLE") == "1" {
		return nil, ""
	}
	if env("AWS_LAMBDA_MAX_CONCURRENCY") != "" {
		return nil, "a Managed Instance runs several invocations at once, so no window can be attributed"
	}
	if !bucketName.MatchString(bucket) {
		return nil, fmt.Sprintf("LAMBDA_PROFILE_BUCKET must be a bucket name: current value is %q", bucket)
	}
	var until time.Time
	if text := env("LAMBDA_PROFILE_UNTIL"); text != "" {
		var err error
		if until, err = parseTime(text); err != nil {
			return nil, fmt.Sprintf("LAMBDA_PROFILE_UNTIL must be an ISO 8601 time: current value is %q", text)
		}
		if !until.After(now) {
			return nil, ""
		}
	}
	types, notice := readTypes(names, env("LAMBDA_PROFILE_TYPES"))
	if notice != "" {
		return nil, notice
	}
	mode := env("LAMBDA_PROFILE_MODE")
	if mode != "" && mode != "always" && mode != "marker" {
		return nil, fmt.Sprintf("LAMBDA_PROFILE_MODE must be always or marker: current value is %q", mode)
	}
	maxInvocations, ok := integer(env("LAMBDA_PROFILE_MAX_INVOCATIONS"), 50, 0, 1_000_000)
	if !ok {
		return nil, "LAMBDA_PROFILE_MAX_INVOCATIONS must be an integer from 0 to 1000000"
	}
	heapInterval, ok := integer(env("LAMBDA_PROFILE_HEAP_INTERVAL_BYTES"), 0, 1024, 1<<30)
	if !ok {
		return nil, "LAMBDA_PROFILE_HEAP_INTERVAL_BYTES must be an integer of at least 1024"
	}
	prefix := strings.Trim(env("LAMBDA_PROFILE_PREFIX"), "/")
	if prefix == "" {
		prefix = "sparta/pprof"
	}
	if !prefixName.MatchString(prefix) {
		return nil, fmt.Sprintf("LAMBDA_PROFILE_PREFIX must be made of letters, digits and !_.*'()/-: current value is %q", prefix)
	}
	endpoint := env("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
	if endpoint != "" && !endpointURL.MatchString(endpoint) {
		return nil, "AWS_ENDPOINT_URL_S3 must be an http or https address without a path"
	}
	function := orElse(env("AWS_LAMBDA_FUNCTION_NAME"), "function")
	instance := logStreamID.FindString(env("AWS_LAMBDA_LOG_STREAM_NAME"))
	if instance == "" {
		instance = keySegment(random())
	}
	memoryMB, _ := strconv.Atoi(env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"))
	return &settings{
		bucket:               bucket,
		stack:                keySegment(orElse(env("LAMBDA_PROFILE_STACK", "SPARTA_STACK_NAME"), function)),
		prefix:               prefix,
		types:                types,
		heapIntervalBytes:    heapInterval,
		blockProfileRate:     orElse(options.BlockProfileRate, 10_000),
		mutexProfileFraction: orElse(options.MutexProfileFraction, 10),
		markerOnly:           mode == "marker",
		maxInvocations:       maxInvocations,
		until:                until,
		instance:             instance,
		function:             function,
		functionVersion:      orElse(env("AWS_LAMBDA_FUNCTION_VERSION"), "$LATEST"),
		memoryMB:             memoryMB,
		runtime:              env("AWS_EXECUTION_ENV"),
		runtimeAPI:           runtimeAPI,
		s3: s3Settings{
			region:          orElse(env("AWS_REGION", "AWS_DEFAULT_REGION"), "us-east-1"),
			endpoint:        strings.TrimSuffix(endpoint, "/"),
			accessKeyID:     env("AWS_ACCESS_KEY_ID"),
			secretAccessKey: env("AWS_SECRET_ACCESS_KEY"),
			sessionToken:    env("AWS_SESSION_TOKEN"),
		},
	}, ""
}

func readTypes(names []string, list string) ([]string, string) {
	where := "The profile names of ScheduleProfileLoop"
	if len(names) == 0 {
		where = "LAMBDA_PROFILE_TYPES"
		names = strings.Split(orElse(list, "cpu"), ",")
	}
	var types []string
	for _, name := range names {
		name = strings.TrimSpace(name)
		if !slices.Contains(profileTypes, name) {
			return nil, fmt.Sprintf("%s must be of %s: current value has %q", where, strings.Join(profileTypes, ", "), name)
		}
		if !slices.Contains(types, name) {
			types = append(types, name)
		}
	}
	return types, ""
}

// parseTime reads a time with or without seconds and zone, as the Node.js agent does.
func parseTime(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("not a time: %q", text)
}

func integer(text string, fallback, least, most int) (int, bool) {
	if text == "" {
		return fallback, true
	}
	value, err := strconv.Atoi(text)
	return value, err == nil && value >= least && value <= most
}

func orElse[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}

// keySegment makes one segment of an object key: no slash, no dot segment, nothing that needs a second look in a URL.
func keySegment(text string) string {
	clean := notInSegment.ReplaceAllString(text, "-")
	clean = clean[:min(len(clean), 128)]
	if onlyDots.MatchString(clean) {
		return "-" + clean
	}
	return clean
}
