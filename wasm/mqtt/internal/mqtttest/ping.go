package mqtttest

import (
	"context"
	"testing"
	"time"
)

// Pinged is what a Ping returned.
type Pinged struct {
	Took time.Duration
	Err  error
}

// Pinging calls a Ping in the background.
func Pinging(ctx context.Context, ping func(context.Context) (time.Duration, error)) <-chan Pinged {
	ch := make(chan Pinged, 1)
	go func() {
		took, err := ping(ctx)
		ch <- Pinged{took, err}
	}()
	return ch
}

// WantRoundTrip fails the test if the Ping failed, or did not take that long.
func WantRoundTrip(t *testing.T, ch <-chan Pinged, want time.Duration) {
	t.Helper()
	if got := <-ch; got.Err != nil || got.Took != want {
		t.Errorf("%v (%v), want %v", got.Took, got.Err, want)
	}
}
