package profileloop

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Paths of the Lambda Runtime API, https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
const (
	invocationPath = "/2018-06-01/runtime/invocation/"
	nextPath       = invocationPath + "next"
)

// proxy stands between the runtime client of this process and the Runtime API. Every connection of the client has one of
// its own to the API and one goroutine that carries requests and answers over, so nothing is reordered, a closed
// connection stays a closed connection, and every stack of the proxy begins in this package. What is not part of an
// invocation, the Extensions API for one, passes unread.
type proxy struct {
	upstream string
	agent    *agent
	listener net.Listener

	mu          sync.Mutex
	closed      bool
	connections map[net.Conn]struct{}
	serving     sync.WaitGroup
}

// startProxy listens on loopback for the runtime client; upstream is host:port of the Runtime API.
func startProxy(upstream string, agent *agent) (*proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("cannot listen on loopback: %w", err)
	}
	p := &proxy{upstream: upstream, agent: agent, listener: listener, connections: map[net.Conn]struct{}{}}
	p.serving.Go(p.accept)
	return p, nil
}

func (p *proxy) address() string { return p.listener.Addr().String() }

// close ends all connections and waits for the goroutines.
func (p *proxy) close() {
	p.mu.Lock()
	p.closed = true
	p.listener.Close()
	for connection := range p.connections {
		connection.Close()
	}
	p.mu.Unlock()
	p.serving.Wait()
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(10 * time.Millisecond) // Out of file descriptors, for one: the client is still waiting.
			continue
		}
		p.serving.Go(func() { p.serve(client) })
	}
}

// track remembers a connection for close; false when it is too late.
func (p *proxy) track(connection net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.connections[connection] = struct{}{}
	}
	return !p.closed
}

func (p *proxy) drop(connection net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.connections, connection)
	connection.Close()
}

func (p *proxy) serve(client net.Conn) {
	// Whatever happens here, the runtime client sees a closed connection and not a panic of this process.
	defer func() { _ = recover() }()
	defer p.drop(client)
	if !p.track(client) {
		return
	}
	api, err := net.Dial("tcp", p.upstream)
	if err != nil {
		return
	}
	defer p.drop(api)
	if !p.track(api) {
		return
	}
	c := connection{agent: p.agent, host: p.upstream, client: pipe(client), api: pipe(api)}
	for c.carry() == nil {
	}
}

// connection is one of the runtime client's and its counterpart.
type connection struct {
	agent       *agent
	host        string
	client, api *bufio.ReadWriter
}

func pipe(connection net.Conn) *bufio.ReadWriter {
	return bufio.NewReadWriter(bufio.NewReader(connection), bufio.NewWriter(connection))
}

// carry carries one request and its answer.
func (c *connection) carry() error {
	request, err := http.ReadRequest(c.client.Reader)
	if err != nil {
		return err
	}
	request.Host = c.host
	var response *http.Response
	switch outcome := invocationOutcome(request); {
	case request.Method == http.MethodGet && request.URL.Path == nextPath:
		response, err = c.next(request)
	case outcome != "":
		response, err = c.respond(request, outcome == "error")
	default:
		response, err = c.exchange(request)
	}
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if err := response.Write(c.client.Writer); err != nil {
		return err
	}
	if err := c.client.Writer.Flush(); err != nil {
		return err
	}
	if request.Close || response.Close {
		return io.EOF
	}
	return nil
}

// next asks for an event until one is the function's: flushes are answered here.
func (c *connection) next(request *http.Request) (*http.Response, error) {
	c.agent.idle()
	for {
		response, err := c.exchange(request)
		if err != nil || response.StatusCode != http.StatusOK {
			return response, err
		}
		deadline := deadlineOf(response)
		mark := parseMark(response.Header.Get("Lambda-Runtime-Client-Context"))
		if mark == nil || mark.op != "flush" {
			c.agent.begin(mark, parseRequest(response.Header.Get("Lambda-Runtime-Aws-Request-Id")), deadline)
			return response, nil
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			return nil, err
		}
		response.Body.Close()
		reply := c.agent.flush(*mark, deadline)
		if err := c.answer(response.Header.Get("Lambda-Runtime-Aws-Request-Id"), reply.encode()); err != nil {
			return nil, err
		}
	}
}

// respond carries the handler's response, streamed or not, or its error.
func (c *connection) respond(request *http.Request, failed bool) (*http.Response, error) {
	if err := c.send(request); err != nil {
		return nil, err
	}
	// A stream that fails midway says so in a trailer.
	failed = failed || request.Trailer.Get("Lambda-Runtime-Function-Error-Type") != ""
	c.agent.done(failed)
	return http.ReadResponse(c.api.Reader, request)
}

// answer responds to an invocation instead of the handler.
func (c *connection) answer(requestID string, body []byte) error {
	url := "http://" + c.host + invocationPath + requestID + "/response"
	request, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", agentVersion)
	response, err := c.exchange(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

// exchange sends a request to the API and reads the head of the answer.
func (c *connection) exchange(request *http.Request) (*http.Response, error) {
	if err := c.send(request); err != nil {
		return nil, err
	}
	return http.ReadResponse(c.api.Reader, request)
}

func (c *connection) send(request *http.Request) error {
	if err := request.Write(c.api.Writer); err != nil {
		return err
	}
	return c.api.Writer.Flush()
}

// invocationOutcome is "response" or "error" for a request that ends an invocation, else empty.
func invocationOutcome(request *http.Request) string {
	rest, ok := strings.CutPrefix(request.URL.Path, invocationPath)
	_, outcome, _ := strings.Cut(rest, "/")
	if !ok || request.Method != http.MethodPost || (outcome != "response" && outcome != "error") {
		return ""
	}
	return outcome
}

func deadlineOf(response *http.Response) time.Time {
	ms, err := strconv.ParseInt(response.Header.Get("Lambda-Runtime-Deadline-Ms"), 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
