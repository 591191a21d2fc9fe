package session

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// consistent recounts what the session counts, and reports any difference.
func consistent(s *Session) error {
	var errs []error
	want := func(what string, got, want int) {
		if got != want {
			errs = append(errs, fmt.Errorf("%s is %d, want %d", what, got, want))
		}
	}
	count := func(name string, l *list) (all []*Message) {
		bytes := 0
		for m := l.first; m != nil; m = m.next {
			if m.list != l || m.next == nil != (m == l.last) || m.next != nil && m.next.prev != m {
				errs = append(errs, fmt.Errorf("the %s's links are broken", name))
				break
			}
			all = append(all, m)
			bytes += len(m.frame)
		}
		want(name+".n", l.n, len(all))
		want(name+".bytes", l.bytes, bytes)
		return all
	}
	expiring := 0
	for _, m := range count("queue", &s.queue) {
		if m.expiryAt > 0 && !s.ended {
			expiring++
			if m.heapAt == 0 || s.expiring[m.heapAt-1] != m {
				errs = append(errs, errors.New("a message in the queue is not watched for its expiry"))
			}
		}
	}
	want("len(expiring)", len(s.expiring), expiring)
	ids, unsent, quota, handedOut := map[uint16]bool{}, 0, s.maxQuota, true
	for _, m := range count("flight", &s.flight) {
		if m.waits < 0 {
			errs = append(errs, errors.New("a message waits for less than nothing"))
		}
		if m == s.cursor {
			handedOut = false
		}
		if m.qos() == 0 {
			continue
		}
		if ids[m.id] || s.out[m.id] != m {
			errs = append(errs, fmt.Errorf("identifier %d has two owners", m.id))
		}
		ids[m.id] = true
		switch {
		case m.counted:
			quota--
		case handedOut && s.online:
			errs = append(errs, fmt.Errorf("message %d is behind the cursor and not handed out", m.id))
		default:
			unsent++
		}
	}
	if !s.ended {
		want("len(out)", len(s.out), len(ids))
	}
	if s.online {
		want("unsent", s.unsent, unsent)
		want("quota", s.quota, quota)
		if s.cursor != nil && s.cursor.list != &s.flight {
			errs = append(errs, errors.New("the cursor is not in flight"))
		}
	}
	for _, c := range slices.Concat(slices.Collect(maps.Values(s.subscriptions.calls)), s.subscriptions.queue) {
		if s.subscriptions.calls[c.id] == c && s.out[c.id] != nil {
			errs = append(errs, fmt.Errorf("identifier %d is that of a message and of a call", c.id))
		}
	}
	received := 0
	for _, m := range s.in {
		if m.connection == s.connection && !m.released {
			received++
		}
	}
	if s.online {
		want("received", s.received, received)
	}
	return errors.Join(errs...)
}
