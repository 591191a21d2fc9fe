package main

import (
	"fmt"
	"strconv"
	"time"
)

const (
	// startTopic, at QoS 0, begins a flood; the payload says of how many messages.
	startTopic = "bench/start"
	// endTopic ends a flood. No topic of the flood itself is as short, by which a
	// bare WebSocket tells it apart.
	endTopic = "bench/end"
	// writeSize is how many bytes of frames go into one write, about.
	writeSize = 256 << 10
)

// A block is frames made beforehand, which are sent over and over.
type block struct {
	bytes []byte
	ends  []int // of each frame in bytes
}

// makeBlock makes so many frames that one write is worth its system call, that
// each topic has its turn, and that a packet identifier is free again when it
// comes round.
func makeBlock(p plan, version byte, window int) block {
	var b block
	payload := make([]byte, p.size)
	for i := range payload {
		payload[i] = 'a' + byte(i%26)
	}
	var packets []byte
	for n := 0; len(b.bytes) < writeSize || n < p.topics || p.qos > 0 && n < 2*window; {
		packets = packets[:0]
		for range p.frame {
			topic := fmt.Sprintf("bench/flood/%06d", n%p.topics)
			n++
			packets = appendPublish(packets, version, topic, p.qos, uint16(n), payload)
		}
		b.bytes = appendFrame(b.bytes, packets)
		b.ends = append(b.ends, len(b.bytes))
	}
	return b
}

// frames returns how many frames from at on fit into one write, n at most, and
// their bytes.
func (b block) frames(at, n int) (bytes []byte, taken int) {
	start := 0
	if at > 0 {
		start = b.ends[at-1]
	}
	end := start
	for taken < n && at+taken < len(b.ends) && (taken == 0 || b.ends[at+taken]-start <= writeSize) {
		end = b.ends[at+taken]
		taken++
	}
	return b.bytes[start:end], taken
}

// flood sends as planned, and then one message to [endTopic] that says how many
// it sent. It ends early when the client has gone.
func (s *session) flood(messages int) {
	p := s.plan
	b := makeBlock(p, s.version, s.window.limit)
	sent, at := 0, 0
	begin := time.Now()
	for sent < messages {
		frames := s.due(time.Since(begin), sent, (messages-sent+p.frame-1)/p.frame)
		bytes, taken := b.frames(at, frames)
		if p.qos > 0 {
			taken = s.window.reserve(taken, p.frame, s.ended)
			bytes, _ = b.frames(at, taken)
		}
		if taken == 0 {
			select {
			case <-time.After(time.Millisecond):
				continue
			case <-s.ended:
				return
			}
		}
		if s.write(bytes) != nil {
			return
		}
		sent += taken * p.frame
		at = (at + taken) % len(b.ends)
	}
	last := appendPublish(nil, s.version, endTopic, 0, 0, strconv.AppendInt(nil, int64(sent), 10))
	_ = s.write(appendFrame(nil, last))
}

// due returns how many frames the rate allows now, left at most.
func (s *session) due(elapsed time.Duration, sent, left int) int {
	if s.plan.rate == 0 {
		return left
	}
	return min(left, (int(elapsed.Seconds()*float64(s.plan.rate))-sent)/s.plan.frame)
}
