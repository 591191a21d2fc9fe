package main

import (
	"encoding/binary"
	"math"
	"sync"
	"syscall/js"
	"time"

	"mqttwasm/wasm/mqtt"
)

const (
	// Packets are handed over together, since each hand-over is costly.
	packetsEvery = 20 * time.Millisecond
	// More than this in that time is dropped, and counted.
	packetsLimit = 4 << 20 // bytes
)

// packetLog gathers packets for onPackets, as records one after the other:
//
//	uint32, little endian   bytes that follow in this record
//	byte                    1 if this client sent it
//	float64, little endian  when, milliseconds since 1970
//	the rest                the packet
type packetLog struct {
	onPackets js.Value

	mu      sync.Mutex
	records []byte
	dropped int
	waiting bool // for packetsEvery to pass
}

func (l *packetLog) add(p mqtt.Packet) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.records)+len(p.Bytes) > packetsLimit {
		l.dropped++
	} else {
		sent := byte(0)
		if p.Sent {
			sent = 1
		}
		l.records = binary.LittleEndian.AppendUint32(l.records, uint32(1+8+len(p.Bytes)))
		l.records = append(l.records, sent)
		l.records = binary.LittleEndian.AppendUint64(l.records, math.Float64bits(float64(p.At.UnixMicro())/1000))
		l.records = append(l.records, p.Bytes...)
	}
	if !l.waiting {
		l.waiting = true
		time.AfterFunc(packetsEvery, l.flush)
	}
}

func (l *packetLog) flush() {
	l.mu.Lock()
	records, dropped := l.records, l.dropped
	l.records, l.dropped, l.waiting = nil, 0, false
	l.mu.Unlock()
	if len(records) == 0 && dropped == 0 || l.onPackets.IsUndefined() {
		return
	}
	_, err := invoke(l.onPackets, bytesValue(records).Get("buffer"), dropped)
	report(err)
}
