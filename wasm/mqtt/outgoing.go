package mqtt

import (
	"sync"

	"github.com/eclipse/paho.golang/packets"
)

// outgoing is a packet of ours with a packet identifier.
type outgoing struct {
	qos      byte
	frame    []byte // the PUBLISH packet, whole
	idAt     int    // where in frame its packet identifier stands
	id       uint16
	released bool                         // PUBREC came: PUBREL is what is sent again
	answer   chan<- packets.ControlPacket // of SUBSCRIBE and UNSUBSCRIBE

	once   sync.Once
	done   chan struct{}
	settle func(PublishResult, error)
}

func (o *outgoing) finish(r PublishResult, err error) {
	o.once.Do(func() {
		close(o.done)
		o.settle(r, err)
	})
}

func (o *outgoing) finished() bool {
	select {
	case <-o.done:
		return true
	default:
		return false
	}
}

func (o *outgoing) setID(id uint16) {
	o.id = id
	o.frame[o.idAt], o.frame[o.idAt+1] = byte(id>>8), byte(id)
}

// answerFrame is PUBACK, PUBREC, PUBREL or PUBCOMP. Without a reason code it
// says success (3.4.2.1).
func answerFrame(header byte, id uint16, reason ...byte) []byte {
	return append([]byte{header, byte(2 + len(reason)), byte(id >> 8), byte(id)}, reason...)
}

// repetition is the packet that continues the exchange on a new connection.
func (o *outgoing) repetition() []byte {
	if o.released {
		return answerFrame(pubrel<<4|2, o.id)
	}
	o.frame[0] |= 8 // DUP [MQTT-3.3.1-1]
	return o.frame
}
