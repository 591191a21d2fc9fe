package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// stats is what one connection has sent and got since it was last asked to
// begin anew.
type stats struct {
	mu      sync.Mutex
	counts  counts
	changed chan struct{} // holds a token after a PUBLISH; one asks at a time
}

type counts struct {
	Published int       `json:"published"` // PUBLISH packets from the client
	First     time.Time `json:"-"`         // when the first of them came
	Last      time.Time `json:"-"`
	Seconds   float64   `json:"seconds"` // from the first to the last
	In        int       `json:"in"`      // bytes on the TCP connection from the client, without the handshake
	Out       int       `json:"out"`     // bytes to the client
}

func (s *stats) published() {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counts.Published == 0 {
		s.counts.First = now
	}
	s.counts.Published++
	s.counts.Last = now
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

func (s *stats) bytes(in, out int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.In += in
	s.counts.Out += out
}

// wait returns the counts once so many PUBLISH packets have come.
func (s *stats) wait(ctx context.Context, published int) (counts, error) {
	for {
		s.mu.Lock()
		c := s.counts
		s.mu.Unlock()
		c.Seconds = c.Last.Sub(c.First).Seconds()
		if c.Published >= published {
			return c, nil
		}
		select {
		case <-s.changed:
		case <-ctx.Done():
			return c, fmt.Errorf("only %d of %d PUBLISH packets came", c.Published, published)
		}
	}
}

func (s *stats) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts = counts{}
}

// A register knows the connections by the id of their plan.
type register struct {
	mu    sync.Mutex
	stats map[string]*stats
}

func newRegister() *register { return &register{stats: map[string]*stats{}} }

// add begins the stats of a new connection.
func (r *register) add(id string) *stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &stats{changed: make(chan struct{}, 1)}
	r.stats[id] = s
	return s
}

func (r *register) get(id string) *stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stats[id]
}

// serveStats answers with the counts of connection id, once it has sent as many
// PUBLISH packets as the query's published says; with reset it begins anew.
func serveStats(w http.ResponseWriter, r *http.Request, all *register) {
	query := r.URL.Query()
	s := all.get(query.Get("id"))
	if s == nil {
		http.Error(w, "There is no such connection.", http.StatusNotFound)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), 30*time.Second)
	defer cancel()
	c, err := s.wait(ctx, atoi(query.Get("published"), 0))
	if err != nil {
		http.Error(w, err.Error(), http.StatusGatewayTimeout)
		return
	}
	if query.Has("reset") {
		s.reset()
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(c)
}
