// Command bootstrap publishes its profiles as functions of mweagle/Sparta do: from a loop of timers, in three rolling
// slots, without a word about runs or invocations. It knows nothing of the run protocol.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"runtime/pprof"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const slots = 3

var instance = os.Getenv("INSTANCE_FORM") + fmt.Sprint(rand.Int64())

func main() {
	interval, _ := time.ParseDuration(os.Getenv("INTERVAL"))
	duration, _ := time.ParseDuration(os.Getenv("CPU_DURATION"))
	loop(0, interval, duration, "goroutine", "heap", "threadcreate", "block", "mutex")
	lambda.Start(func() (int, error) {
		return sortWords(60_000), nil
	})
}

// sortWords is what the function does: some 10 ms of CPU.
func sortWords(n int) int {
	state, sum := uint32(1), 0
	for range n {
		state = state*1664525 + 1013904223
		sum += len(fmt.Sprint(state % 1000))
	}
	return sum
}

func loop(slot int, interval, duration time.Duration, types ...string) {
	time.AfterFunc(interval, func() {
		var cpu bytes.Buffer
		if err := pprof.StartCPUProfile(&cpu); err != nil {
			log.Print(err)
			return
		}
		time.AfterFunc(duration, func() {
			pprof.StopCPUProfile()
			upload(slot, "cpu", cpu.Bytes())
			for _, profile := range types {
				var data bytes.Buffer
				// Go 1.9 and before wrote contention profiles as text, which is all of an empty one.
				if os.Getenv("LEGACY_TEXT") != "" && (profile == "block" || profile == "mutex") {
					data.WriteString("--- contention:\ncycles/second=2799992448\n")
				} else if err := pprof.Lookup(profile).WriteTo(&data, 0); err != nil {
					log.Print(err)
					continue
				}
				upload(slot, profile, data.Bytes())
			}
			loop((slot+1)%slots, interval, duration, types...)
		})
	})
}

func upload(slot int, profile string, body []byte) {
	key := fmt.Sprintf("sparta/pprof/%s/profiles/%s/%d-%s.%s.profile", os.Getenv("SPARTA_STACK_NAME"), profile, slot, profile, instance)
	address := url.URL{Path: "/" + os.Getenv("SPARTA_PROFILE_BUCKET_NAME") + "/" + key}
	request, err := http.NewRequest(http.MethodPut, os.Getenv("AWS_ENDPOINT_URL_S3")+address.EscapedPath(), bytes.NewReader(body))
	if err != nil {
		log.Print(err)
		return
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	request.Header.Set("X-Amz-Content-Sha256", hash)
	credentials := aws.Credentials{AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY")}
	signer := v4.NewSigner(func(options *v4.SignerOptions) { options.DisableURIPathEscaping = true })
	if err := signer.SignHTTP(context.Background(), credentials, request, hash, "s3", os.Getenv("AWS_REGION"), time.Now()); err != nil {
		log.Print(err)
		return
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Print(err)
		return
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		log.Print(response.Status)
	}
}
