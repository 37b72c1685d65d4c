package profileloop

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// event is an invocation for the function.
type event struct {
	id, payload, clientContext string
	timeout                    time.Duration
}

// posted is what came back for one.
type posted struct {
	id, outcome, body string
	trailer           http.Header
}

// fakeRuntimeAPI is the Runtime API of one instance.
type fakeRuntimeAPI struct {
	*httptest.Server
	events chan event
	posts  chan posted
	// waiting gets a value whenever the runtime asks for an event.
	waiting chan struct{}
	// others are requests outside the invocation cycle.
	others chan *http.Request
}

func startRuntimeAPI(t *testing.T) *fakeRuntimeAPI {
	api := &fakeRuntimeAPI{
		events: make(chan event), posts: make(chan posted, 1), waiting: make(chan struct{}, 1000), others: make(chan *http.Request, 10),
	}
	api.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch outcome := invocationOutcome(r); {
		case r.URL.Path == nextPath:
			api.waiting <- struct{}{}
			select {
			case e := <-api.events:
				w.Header().Set("Lambda-Runtime-Aws-Request-Id", e.id)
				w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(e.timeout).UnixMilli()))
				if e.clientContext != "" {
					w.Header().Set("Lambda-Runtime-Client-Context", e.clientContext)
				}
				io.WriteString(w, e.payload)
			case <-r.Context().Done():
			}
		case outcome != "":
			body, _ := io.ReadAll(r.Body)
			id := strings.Split(r.URL.Path, "/")[4]
			w.WriteHeader(http.StatusAccepted)
			api.posts <- posted{id, outcome, string(body), r.Trailer}
		default:
			api.others <- r
			w.Header().Set("Lambda-Extension-Identifier", "extension-1")
			io.WriteString(w, `{"functionName":"orders"}`)
		}
	}))
	t.Cleanup(api.Close)
	return api
}

func (api *fakeRuntimeAPI) host() string { return strings.TrimPrefix(api.URL, "http://") }

// invoke delivers an event and returns what was posted for it.
func (api *fakeRuntimeAPI) invoke(t *testing.T, e event) posted {
	t.Helper()
	if e.timeout == 0 {
		e.timeout = 10 * time.Second
	}
	select {
	case api.events <- e:
	case <-time.After(10 * time.Second):
		t.Fatal("nobody asked for an event within 10 s")
	}
	select {
	case p := <-api.posts:
		return p
	case <-time.After(10 * time.Second):
		t.Fatal("nothing was posted within 10 s")
	}
	return posted{}
}

func clientContext(op, run string, more ...string) string {
	custom := map[string]string{"lambda-profile.op": op, "lambda-profile.run": run, "lambda-profile.commit": "0123abc"}
	for i := 0; i+1 < len(more); i += 2 {
		custom[more[i]] = more[i+1]
	}
	text, _ := json.Marshal(map[string]any{"custom": custom})
	return string(text)
}

// stored is an object of the fake bucket.
type stored struct {
	key      string
	body     []byte
	metadata map[string]string
}

// fakeBucket keeps what is written, or does what put says.
type fakeBucket struct {
	mu      sync.Mutex
	objects []stored
	refuse  func(ctx context.Context, key string) error
}

func (b *fakeBucket) put(ctx context.Context, key string, body []byte, metadata map[string]string) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refuse != nil {
		if err := b.refuse(ctx, key); err != nil {
			return "", err
		}
	}
	b.objects = append(b.objects, stored{key, body, metadata})
	return fmt.Sprintf(`"etag-%d"`, len(b.objects)), nil
}

func (b *fakeBucket) rest() {}

// comments are the windows of the objects of a type, in the order of their sequence.
func (b *fakeBucket) comments(t *testing.T, profile string) []comment {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	var comments []comment
	for _, object := range b.objects {
		if strings.Contains(object.key, "/"+profile+"/") {
			comments = append(comments, readComment(t, object.body))
		}
	}
	slices.SortFunc(comments, func(a, b comment) int { return a.Sequence - b.Sequence })
	return comments
}

// comment is what the tests read of a snapshot's.
type comment struct {
	Run         string
	Commit      string
	Sequence    int
	Reason      string
	Kind        string
	Flags       []string
	Language    string
	Invocations struct{ N, Errors, Cold int }
	Time        struct{ Start, End, ActiveMs, CPUMs, P50Ms, P90Ms float64 }
	Allocated   uint64 `json:"allocatedBytes"`
}

func testSettings(types ...string) settings {
	return settings{
		bucket: "profiles", stack: "orders", prefix: "sparta/pprof", types: types, maxInvocations: 50,
		blockProfileRate: 1, mutexProfileFraction: 1,
		instance: "0123456789abcdef0123456789abcdef", function: "orders", functionVersion: "7", memoryMB: 512,
	}
}

// function is a loop under test with a runtime client on top of it.
type function struct {
	api    *fakeRuntimeAPI
	bucket *fakeBucket
	loop   *loop
	log    *bytes.Buffer
	next   int
}

// startFunction runs handler behind the proxy as a runtime client does.
func startFunction(t *testing.T, s settings, handler func(payload []byte) (string, error)) *function {
	t.Helper()
	f := &function{api: startRuntimeAPI(t), bucket: &fakeBucket{}, log: &bytes.Buffer{}}
	s.runtimeAPI = f.api.host()
	l, err := startLoop(s, f.bucket, systemClock, func(line string) { fmt.Fprintln(f.log, line) })
	if err != nil {
		t.Fatal(err)
	}
	f.loop = l
	client := &http.Client{Transport: &http.Transport{}}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		base := "http://" + l.proxy.address()
		for {
			response, err := client.Get(base + nextPath)
			if err != nil {
				return
			}
			payload, err := io.ReadAll(response.Body)
			response.Body.Close()
			if err != nil {
				return
			}
			outcome := "response"
			body, err := handler(payload)
			if err != nil {
				outcome, body = "error", err.Error()
			}
			id := response.Header.Get("Lambda-Runtime-Aws-Request-Id")
			answer, err := client.Post(base+invocationPath+id+"/"+outcome, "application/json", strings.NewReader(body))
			if err != nil {
				return
			}
			io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
		}
	}()
	t.Cleanup(func() {
		l.close()
		client.CloseIdleConnections()
		<-ended
	})
	return f
}

func (f *function) invoke(t *testing.T, payload, clientContext string) posted {
	t.Helper()
	f.next++
	return f.api.invoke(t, event{id: fmt.Sprintf("%08x-request", f.next), payload: payload, clientContext: clientContext})
}

// flush asks for a flush and decodes the reply.
func (f *function) flush(t *testing.T, run string, more ...string) flushReply {
	t.Helper()
	return decodeReply(t, f.invoke(t, "{}", clientContext("flush", run, more...)).body)
}

func decodeReply(t *testing.T, body string) flushReply {
	t.Helper()
	var reply struct {
		Reply flushReply `json:"lambda-profile"`
	}
	if err := json.Unmarshal([]byte(body), &reply); err != nil || reply.Reply.V != 1 {
		t.Fatalf("not a reply to a flush: %q", body)
	}
	return reply.Reply
}
