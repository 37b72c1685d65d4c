package profileloop

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// objectWriter writes objects to one bucket.
type objectWriter interface {
	// put stores one object and returns its ETag. It retries once what may succeed the second time.
	put(ctx context.Context, key string, body []byte, metadata map[string]string) (string, error)
	// rest closes connections: none should be open while the instance is frozen.
	rest()
}

// s3Error is S3's refusal, or that S3 could not be reached.
type s3Error struct {
	code, message string
	retryable     bool
}

func (e *s3Error) Error() string { return e.message }

// s3Writer is an S3 client that can do one thing: the SDK's would be most of a small function's binary.
type s3Writer struct {
	base        string // ends before the key
	region      string
	credentials aws.Credentials
	signer      *v4.Signer
	client      *http.Client
}

const maxErrorBody = 16 << 10

// newS3Writer addresses a custom endpoint and bucket names with a dot (no certificate matches them) path-style, else
// virtual-host.
func newS3Writer(bucket string, s s3Settings) *s3Writer {
	domain := "amazonaws.com"
	if strings.HasPrefix(s.region, "cn-") {
		domain += ".cn"
	}
	base := fmt.Sprintf("https://%s.s3.%s.%s/", bucket, s.region, domain)
	if s.endpoint != "" {
		base = fmt.Sprintf("%s/%s/", s.endpoint, bucket)
	} else if strings.Contains(bucket, ".") {
		base = fmt.Sprintf("https://s3.%s.%s/%s/", s.region, domain, bucket)
	}
	return &s3Writer{
		base:   base,
		region: s.region,
		credentials: aws.Credentials{
			AccessKeyID: s.accessKeyID, SecretAccessKey: s.secretAccessKey, SessionToken: s.sessionToken,
		},
		signer: v4.NewSigner(func(options *v4.SignerOptions) { options.DisableURIPathEscaping = true }),
		client: &http.Client{Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, MaxConnsPerHost: 4, MaxIdleConnsPerHost: 4, TLSHandshakeTimeout: 2 * time.Second,
		}},
	}
}

func (w *s3Writer) put(ctx context.Context, key string, body []byte, metadata map[string]string) (string, error) {
	etag, err := w.attempt(ctx, key, body, metadata)
	var refused *s3Error
	if errors.As(err, &refused) && refused.retryable && ctx.Err() == nil {
		return w.attempt(ctx, key, body, metadata)
	}
	return etag, err
}

func (w *s3Writer) rest() { w.client.CloseIdleConnections() }

func (w *s3Writer) attempt(ctx context.Context, key string, body []byte, metadata map[string]string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, w.base+encodeKey(key), bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("cannot write to S3: %w", err)
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	request.Header.Set("Content-Type", "application/octet-stream")
	request.Header.Set("X-Amz-Content-Sha256", hash)
	for name, value := range metadata {
		request.Header.Set("x-amz-meta-"+name, value)
	}
	if err := w.signer.SignHTTP(ctx, w.credentials, request, hash, "s3", w.region, time.Now()); err != nil {
		return "", fmt.Errorf("cannot sign a request: %w", err)
	}
	response, err := w.client.Do(request)
	if err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		cause := err
		var inURL *url.Error
		if errors.As(err, &inURL) {
			cause = inURL.Err
		}
		return "", &s3Error{"NetworkError", fmt.Sprintf("Cannot reach %s: %v", request.URL.Host, cause), true}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxErrorBody))
	if err != nil && ctx.Err() != nil {
		return "", ctx.Err()
	}
	if response.StatusCode != http.StatusOK {
		return "", readS3Error(response.StatusCode, string(text))
	}
	return response.Header.Get("ETag"), nil
}

var (
	errorCode    = regexp.MustCompile(`<Code>([^<]{1,64})</Code>`)
	errorMessage = regexp.MustCompile(`<Message>([^<]{1,512})`)
	accountID    = regexp.MustCompile(`\b\d{12}\b`)
)

func readS3Error(status int, xml string) *s3Error {
	code, message := fmt.Sprintf("HTTP%d", status), fmt.Sprintf("S3 answered with status %d.", status)
	if match := errorCode.FindStringSubmatch(xml); match != nil {
		code = match[1]
	}
	if match := errorMessage.FindStringSubmatch(xml); match != nil {
		message = match[1]
	}
	// S3 quotes the caller's ARN: the account id is nobody's business in a log or a comment.
	message = accountID.ReplaceAllString(message, "************")
	return &s3Error{code, message, status >= 500 || status == http.StatusTooManyRequests}
}

// encodeKey percent-encodes a key as Signature Version 4 wants it: every byte but the unreserved ones and the slash.
func encodeKey(key string) string {
	var out strings.Builder
	for i := range len(key) {
		switch c := key[i]; {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', strings.IndexByte("-._~/", c) >= 0:
			out.WriteByte(c)
		default:
			fmt.Fprintf(&out, "%%%02X", c)
		}
	}
	return out.String()
}
