package main

import (
	"net/url"
	"strconv"
)

// A plan is what a connection does, from the query of its address. Without one
// it answers and counts, and no more; it floods when it is told to, see [startTopic].
type plan struct {
	id     string // names the connection in /stats
	echo   bool   // sends every PUBLISH back, at QoS 0
	size   int    // bytes of a payload
	frame  int    // packets in a WebSocket frame
	qos    byte   // of the flood
	topics int    // how many topics take turns
	rate   int    // messages in a second; 0: as many as the client takes
}

func planOf(query url.Values) plan {
	number := func(name string, otherwise int) int { return atoi(query.Get(name), otherwise) }
	p := plan{
		id:     query.Get("id"),
		echo:   query.Has("echo"),
		size:   number("size", 0),
		frame:  number("frame", 1),
		qos:    byte(number("qos", 0)),
		topics: number("topics", 1),
		rate:   number("rate", 0),
	}
	p.frame = min(max(p.frame, 1), windowMessages)
	p.topics = max(p.topics, 1)
	return p
}

func atoi(text string, otherwise int) int {
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	return otherwise
}
