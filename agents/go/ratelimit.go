package profileloop

import "time"

// rateLimit is a token bucket: burst at once, then one every interval.
type rateLimit struct {
	burst    float64
	interval time.Duration
	tokens   float64
	at       time.Time
}

func newRateLimit(burst int, interval time.Duration, now time.Time) *rateLimit {
	return &rateLimit{float64(burst), interval, float64(burst), now}
}

// take takes a token and returns 0, or takes none and returns the time until there is one.
func (l *rateLimit) take(now time.Time) time.Duration {
	l.tokens = min(l.burst, l.tokens+float64(now.Sub(l.at))/float64(l.interval))
	l.at = now
	if l.tokens < 1 {
		return max(time.Millisecond, time.Duration((1-l.tokens)*float64(l.interval)))
	}
	l.tokens--
	return 0
}
