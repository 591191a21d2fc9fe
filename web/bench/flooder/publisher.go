package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// servePublish publishes to a broker over TCP, at QoS 1, and last to
// [endTopic]. The query: broker (address), size (bytes of a payload), count
// (messages). It answers when the broker has acknowledged them all.
func servePublish(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if err := publishTo(query.Get("broker"), atoi(query.Get("size"), 64), atoi(query.Get("count"), 1)); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
	}
}

func publishTo(broker string, size, count int) error {
	conn, err := net.Dial("tcp", broker)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(60 * time.Second)); err != nil {
		return err
	}
	// CONNECT (3.1): MQTT, 5, Clean Start, no Keep Alive, no properties, empty client ID.
	hello := append(appendText(nil, "MQTT"), 5, 2, 0, 0, 0, 0, 0)
	if _, err := conn.Write(appendPacket(nil, connect<<4, hello)); err != nil {
		return err
	}
	in := bufio.NewReader(conn)
	answer, err := readPacket(in)
	if err != nil {
		return err
	}
	if answer.kind() != connack || len(answer.body) < 2 || answer.body[1] != 0 {
		return fmt.Errorf("the broker answered CONNECT with % x", answer.body)
	}

	// Twenty is what brokers without an opinion have in flight.
	window := newWindow(20)
	failed := make(chan struct{})
	var failure error
	go func() {
		defer close(failed)
		for range count + 1 {
			if _, failure = readPacket(in); failure != nil {
				return
			}
			window.release()
		}
	}()
	payload := make([]byte, size)
	var out []byte
	for n := 0; n < count; {
		messages := window.reserve(min(20, count-n), 1, failed)
		if messages == 0 {
			return failure
		}
		out = out[:0]
		for range messages {
			n++
			out = appendPublish(out, 5, "bench/flood/000000", 1, uint16(1+n%60000), payload)
		}
		if _, err := conn.Write(out); err != nil {
			return err
		}
	}
	last := appendPublish(nil, 5, endTopic, 1, 60001, strconv.AppendInt(nil, int64(count), 10))
	if _, err := conn.Write(last); err != nil {
		return err
	}
	<-failed
	return failure
}

// readPacket reads a whole packet of a broker.
func readPacket(in *bufio.Reader) (packet, error) {
	first, err := in.ReadByte()
	if err != nil {
		return packet{}, err
	}
	size, err := binary.ReadUvarint(in)
	if err != nil {
		return packet{}, err
	}
	body := make([]byte, size)
	_, err = io.ReadFull(in, body)
	return packet{first, body}, err
}
