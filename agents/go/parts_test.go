package profileloop

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime/pprof"
	"strings"
	"testing"
	"time"
)

func read(env map[string]string, options Options, names ...string) (*settings, string) {
	lookup := func(name string) (string, bool) { value, ok := env[name]; return value, ok }
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	return readSettings(lookup, options, names, now, func() string { return "random/1" })
}

func on(more ...string) map[string]string {
	env := map[string]string{"LAMBDA_PROFILE_BUCKET": "octo-profiles", "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001"}
	for i := 0; i+1 < len(more); i += 2 {
		env[more[i]] = more[i+1]
	}
	return env
}

func TestSettings(t *testing.T) {
	s, notice := read(on("AWS_LAMBDA_FUNCTION_NAME", "orders", "AWS_LAMBDA_LOG_STREAM_NAME",
		"2026/11/20/[7]0123456789abcdef0123456789abcdef", "LAMBDA_PROFILE_TYPES", "cpu, heap", "LAMBDA_PROFILE_PREFIX", "/a/b/"), Options{})
	if s == nil || notice != "" {
		t.Fatal(notice)
	}
	if s.stack != "orders" || s.instance != "0123456789abcdef0123456789abcdef" || s.prefix != "a/b" || s.maxInvocations != 50 {
		t.Errorf("%+v", s)
	}
	if strings.Join(s.types, " ") != "cpu heap" || s.functionVersion != "$LATEST" || s.s3.region != "us-east-1" {
		t.Errorf("%+v", s)
	}
	s, _ = read(map[string]string{"AWS_LAMBDA_RUNTIME_API": "x:1", "SPARTA_STACK_NAME": "../shop"}, Options{Bucket: "mine"}, "block", "block")
	if s == nil || s.bucket != "mine" || s.stack != "..-shop" || s.instance != "random-1" || len(s.types) != 1 {
		t.Errorf("%+v", s)
	}
}

func TestSettingsThatTurnTheAgentOff(t *testing.T) {
	for _, test := range []struct {
		name   string
		env    map[string]string
		notice string
	}{
		{"no bucket", map[string]string{"AWS_LAMBDA_RUNTIME_API": "x:1"}, ""},
		{"not in Lambda", map[string]string{"LAMBDA_PROFILE_BUCKET": "octo-profiles"}, ""},
		{"switched off", on("LAMBDA_PROFILE_DISABLE", "1"), ""},
		{"expired", on("LAMBDA_PROFILE_UNTIL", "2026-11-20T11:00Z"), ""},
		{"a managed instance", on("AWS_LAMBDA_MAX_CONCURRENCY", "10"), "Managed Instance"},
		{"no bucket name", on("LAMBDA_PROFILE_BUCKET", "Not A Bucket"), "LAMBDA_PROFILE_BUCKET must be"},
		{"no time", on("LAMBDA_PROFILE_UNTIL", "tomorrow"), "LAMBDA_PROFILE_UNTIL must be"},
		{"no type", on("LAMBDA_PROFILE_TYPES", "cpu,wall"), `"wall"`},
		{"no mode", on("LAMBDA_PROFILE_MODE", "some"), "LAMBDA_PROFILE_MODE must be"},
		{"no number", on("LAMBDA_PROFILE_MAX_INVOCATIONS", "-1"), "LAMBDA_PROFILE_MAX_INVOCATIONS must be"},
		{"no interval", on("LAMBDA_PROFILE_HEAP_INTERVAL_BYTES", "1"), "LAMBDA_PROFILE_HEAP_INTERVAL_BYTES must be"},
		{"no prefix", on("LAMBDA_PROFILE_PREFIX", "a b"), "LAMBDA_PROFILE_PREFIX must be"},
		{"no endpoint", on("AWS_ENDPOINT_URL_S3", "http://x/y"), "AWS_ENDPOINT_URL_S3 must be"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, notice := read(test.env, Options{})
			if s != nil || (notice == "") != (test.notice == "") || !strings.Contains(notice, test.notice) {
				t.Errorf("settings %v, notice %q", s, notice)
			}
		})
	}
}

func TestParseMark(t *testing.T) {
	m := parseMark(clientContext("flush", "run-1", "lambda-profile.hold", "250"))
	if m == nil || *m != (mark{"flush", "run-1", "0123abc", 250 * time.Millisecond}) {
		t.Errorf("%+v", m)
	}
	if m := parseMark(clientContext("flush", "r", "lambda-profile.hold", "1e9")); m.hold != time.Second {
		t.Errorf("the hold is %v", m.hold)
	}
	if m := parseMark(clientContext("invoke", "a/b", "lambda-profile.hold", "9")); m.run != "" || m.hold != 0 {
		t.Errorf("%+v", m)
	}
	for _, none := range []string{"", "{", `{"custom":{"lambda-profile.op":7}}`, clientContext("publish", "r"), `{"custom":"lambda-profile.op"}`} {
		if m := parseMark(none); m != nil {
			t.Errorf("%q is a mark: %+v", none, m)
		}
	}
}

func TestWithComment(t *testing.T) {
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 0); err != nil {
		t.Fatal(err)
	}
	before := message(t, profile.Bytes())
	strings, err := countField(before, stringTableField)
	if err != nil || strings == 0 {
		t.Fatal(strings, err)
	}
	commented, err := withComment(profile.Bytes(), "lambda-profile:{}")
	if err != nil {
		t.Fatal(err)
	}
	after := message(t, commented)
	if !bytes.HasPrefix(after, before) {
		t.Error("the profile itself changed")
	}
	if now, _ := countField(after, stringTableField); now != strings+1 {
		t.Errorf("%d strings, %d before", now, strings)
	}
	if comments, _ := countField(after, commentField); comments != 1 {
		t.Errorf("%d comments", comments)
	}
	for _, broken := range [][]byte{nil, []byte("text"), {0x1f, 0x8b, 8}} {
		if _, err := withComment(broken, "x"); err == nil {
			t.Errorf("%q is a profile", broken)
		}
	}
	for _, broken := range [][]byte{{0x80}, {0x32, 9, 1}, {0x33}, {0x09, 1}, {0x08}} {
		if _, err := countField(broken, 1); err == nil {
			t.Errorf("%v is a message", broken)
		}
	}
}

func TestRateLimit(t *testing.T) {
	at := time.Now()
	limit := newRateLimit(2, time.Second, at)
	if limit.take(at) != 0 || limit.take(at) != 0 || limit.take(at) != time.Second {
		t.Error("a burst of two, then one a second")
	}
	if limit.take(at.Add(400*time.Millisecond)) != 600*time.Millisecond || limit.take(at.Add(time.Second)) != 0 {
		t.Error("a token comes back after a second")
	}
}

func TestQuantile(t *testing.T) {
	durations := []time.Duration{4, 1, 3, 2}
	if quantile(nil, 0.5) != 0 || quantile(durations, 0.5) != 2 || quantile(durations, 0.9) != 4 || durations[0] != 4 {
		t.Error("nearest rank")
	}
}

func TestS3(t *testing.T) {
	var answers []int
	var seen []*http.Request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		seen = append(seen, r)
		w.Header().Set("ETag", `"abc"`)
		w.WriteHeader(answers[0])
		answers = answers[1:]
		io.WriteString(w, "<Error><Code>AccessDenied</Code><Message>arn:aws:iam::123456789012:role/x may not</Message></Error>")
	}))
	defer server.Close()
	writer := newS3Writer("octo-profiles", s3Settings{region: "eu-west-1", endpoint: server.URL, accessKeyID: "ASIAEXAMPLE", secretAccessKey: "secret", sessionToken: "token"})
	put := func(status ...int) (string, error) {
		answers, seen = status, nil
		return writer.put(context.Background(), "a/λ b.profile", []byte("body"), map[string]string{"lambda-profile-v": "1"})
	}
	etag, err := put(503, 200)
	if err != nil || etag != `"abc"` || len(seen) != 2 {
		t.Fatal(etag, err, len(seen))
	}
	r := seen[1]
	if r.URL.EscapedPath() != "/octo-profiles/a/%CE%BB%20b.profile" || r.Header.Get("X-Amz-Security-Token") != "token" {
		t.Error(r.URL, r.Header)
	}
	if signed := r.Header.Get("Authorization"); !strings.Contains(signed, "x-amz-meta-lambda-profile-v") || !strings.Contains(signed, "/eu-west-1/s3/") {
		t.Error(signed)
	}
	_, err = put(403)
	var refused *s3Error
	if !errors.As(err, &refused) || refused.code != "AccessDenied" || strings.Contains(refused.message, "123456789012") || len(seen) != 1 {
		t.Error(err, len(seen))
	}
	server.Close()
	if _, err = put(); !errors.As(err, &refused) || refused.code != "NetworkError" {
		t.Error(err)
	}
	if virtual := newS3Writer("octo-profiles", s3Settings{region: "eu-west-1"}); virtual.base != "https://octo-profiles.s3.eu-west-1.amazonaws.com/" {
		t.Error(virtual.base)
	}
	if dotted := newS3Writer("octo.profiles", s3Settings{region: "cn-north-1"}); dotted.base != "https://s3.cn-north-1.amazonaws.com.cn/octo.profiles/" {
		t.Error(dotted.base)
	}
}
