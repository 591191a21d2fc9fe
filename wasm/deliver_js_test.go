package main

import (
	"testing"
	"time"
)

// The interval between the batches of a steady stream, and the longest wait of a batch.
func TestPace(t *testing.T) {
	for _, test := range []struct {
		name        string
		perSecond   int // messages
		together    int // arrive at once
		least, most time.Duration
	}{
		{"a conversation", 100, 1, 0, 0},
		{"a burst every tenth of a second", 200, 20, 0, 0},
		{"a busy stream", 5000, 1, gather, 5 * time.Millisecond},
		{"a flood", 10_000, 20, 5 * time.Millisecond, maxPace},
		{"more than a flood", 1_000_000, 20, maxPace, maxPace},
	} {
		t.Run(test.name, func(t *testing.T) {
			var pacer pacer
			now := time.Unix(1, 0)
			interval := time.Second * time.Duration(test.together) / time.Duration(test.perSecond)
			next, arrived := now, 0
			for n := range 2000 {
				if now.Before(next) {
					now = next
				}
				wait := pacer.wait(now)
				before := pacer.last
				now = now.Add(wait)
				for !next.After(now) {
					arrived += test.together
					next = next.Add(interval)
				}
				pacer.took(now, arrived, false)
				arrived = 0
				if n < 100 {
					continue // the rate is not known yet
				}
				if apart := now.Sub(before); wait > test.most || apart < test.least {
					t.Fatalf("it waits %v, and comes %v after the last one", wait, apart)
				}
			}
		})
	}
}

func TestPaceOfPressed(t *testing.T) {
	var pacer pacer
	now := time.Unix(1, 0)
	for range 100 {
		now = now.Add(2 * time.Millisecond)
		if wait := pacer.wait(now); wait > 0 {
			t.Fatalf("messages of QoS 1 or 2, say, wait %v", wait)
		}
		pacer.took(now, 20, true)
	}
	pacer.took(now, 20, false)
	if pacer.wait(now) == 0 {
		t.Fatal("small messages of QoS 0 are not gathered")
	}
	if wait := pacer.wait(now.Add(time.Second)); wait > 0 {
		t.Fatalf("a message after a pause waits %v", wait)
	}
}
