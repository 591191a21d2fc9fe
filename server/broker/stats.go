package broker

// Stats are figures of a broker.
type Stats struct {
	Connected int64 // clients
	Sessions  int64 // of clients, connected or not
	// Subscriptions, and messages of QoS 1 and 2 that are not acknowledged, of all sessions.
	Subscriptions, Inflight int64
	Retained                int64 // messages, those of $SYS too

	// Since New. Messages of QoS 0 that are dropped because a client has too much unread
	// count as sent too.
	MessagesReceived, MessagesSent, MessagesDropped int64
	BytesReceived, BytesSent                        int64
}

// Stats returns the figures of this moment.
func (b *Broker) Stats() Stats {
	info := b.server.Info.Clone()
	s := Stats{
		Connected:        info.ClientsConnected,
		Retained:         int64(b.server.Topics.Retained.Len()),
		MessagesReceived: info.MessagesReceived,
		MessagesSent:     info.MessagesSent,
		MessagesDropped:  info.MessagesDropped + info.InflightDropped,
		BytesReceived:    info.BytesReceived,
		BytesSent:        info.BytesSent,
	}
	for _, cl := range b.server.Clients.GetAll() { // mochi's own counters drift
		s.Sessions++
		s.Subscriptions += int64(cl.State.Subscriptions.Len())
		s.Inflight += int64(cl.State.Inflight.Len())
	}
	return s
}
