package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"sync"
)

// A session is one client's connection.
type session struct {
	conn    *counted
	in      *bufio.Reader
	plan    plan
	version byte
	window  *window
	stats   *stats
	writing sync.Mutex // a flood and answers take turns
	ended   chan struct{}
}

func serveFlood(w http.ResponseWriter, r *http.Request, all *register) {
	conn, in, err := upgrade(w, r)
	if err != nil {
		return // the client has been told, or is gone
	}
	plan := planOf(r.URL.Query())
	stats := all.add(plan.id)
	c := &counted{Conn: conn, stats: stats}
	s := &session{conn: c, in: bufio.NewReaderSize(c, 256<<10), plan: plan, stats: stats, ended: make(chan struct{})}
	if in.Buffered() > 0 {
		_ = conn.Close() // no client speaks before it has read the handshake
		return
	}
	defer func() {
		close(s.ended)
		_ = conn.Close()
	}()
	_ = s.serve() // ends with the connection
}

// serve reads packets and answers them, as many at once as have arrived.
func (s *session) serve() error {
	var frame, unread, answers []byte
	for {
		op, payload, err := readFrame(s.in, frame)
		if err != nil {
			return err
		}
		frame = payload
		switch op {
		case opClose:
			_, err := s.conn.Write([]byte{0x80 | opClose, 0})
			return err
		case opPing:
			answers = append(answers, 0x80|opPong, 0)
		case opPong:
			continue
		}
		packets := payload
		if len(unread) > 0 {
			unread = append(unread, payload...)
			packets = unread
		}
		for {
			p, rest, ok := cut(packets)
			if !ok {
				break
			}
			packets = rest
			if answers, err = s.handle(p, answers); err != nil {
				return err
			}
		}
		unread = append(unread[:0], packets...)
		if len(answers) > 0 && s.in.Buffered() == 0 {
			if err := s.write(answers); err != nil {
				return err
			}
			answers = answers[:0]
		}
	}
}

func (s *session) write(b []byte) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	_, err := s.conn.Write(b)
	return err
}

// handle appends the answer to one packet, in a frame of its own as most
// brokers send it.
func (s *session) handle(p packet, answers []byte) ([]byte, error) {
	id := func(b []byte) []byte { return b[:min(2, len(b))] }
	switch p.kind() {
	case connect:
		version, maximum := connectInfo(p.body)
		s.version = version
		s.window = newWindow(windowFor(s.plan, maximum))
		body := []byte{0, 0}
		if version == 5 {
			body = append(body, 0) // no properties
		}
		return appendFrame(answers, appendPacket(nil, connack<<4, body)), nil
	case subscribe:
		properties := []byte{0}
		if s.version != 5 {
			properties = nil
		}
		granted := appendPacket(nil, suback<<4, id(p.body), properties, grants(p.body, s.version))
		return appendFrame(answers, granted), nil
	case unsubscr:
		body := [][]byte{id(p.body)}
		if s.version == 5 {
			body = append(body, []byte{0, 0})
		}
		return appendFrame(answers, appendPacket(nil, unsuback<<4, body...)), nil
	case publish:
		return s.published(p, answers)
	case pubrel:
		return appendFrame(answers, appendPacket(nil, pubcomp<<4, id(p.body))), nil
	case puback:
		s.window.release()
	case pingreq:
		return appendFrame(answers, appendPacket(nil, pingresp<<4)), nil
	case disconnect:
		return answers, nil
	default:
		return answers, fmt.Errorf("packet type %d", p.kind())
	}
	return answers, nil
}

func (s *session) published(p packet, answers []byte) ([]byte, error) {
	s.stats.published()
	if len(p.body) < 2 {
		return answers, fmt.Errorf("a PUBLISH of %d bytes", len(p.body))
	}
	afterTopic := 2 + int(binary.BigEndian.Uint16(p.body))
	if string(p.body[2:afterTopic]) == startTopic {
		properties := 0
		if s.version == 5 {
			properties = 1 + int(p.body[afterTopic])
		}
		go s.flood(atoi(string(p.body[afterTopic+properties:]), 0))
		return answers, nil
	}
	if s.plan.echo {
		body := [][]byte{p.body}
		if p.qos() > 0 {
			body = [][]byte{p.body[:afterTopic], p.body[afterTopic+2:]}
		}
		answers = appendFrame(answers, appendPacket(nil, publish<<4, body...))
	}
	if p.qos() == 0 {
		return answers, nil
	}
	kind := byte(puback)
	if p.qos() == 2 {
		kind = pubrec
	}
	return appendFrame(answers, appendPacket(nil, kind<<4, p.body[afterTopic:afterTopic+2])), nil
}

// counted counts the bytes of a connection.
type counted struct {
	net.Conn
	stats *stats
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.stats.bytes(n, 0)
	return n, err
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.stats.bytes(0, n)
	return n, err
}
