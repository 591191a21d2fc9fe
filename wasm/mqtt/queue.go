package mqtt

import (
	"container/list"
	"fmt"
)

// queue holds messages that wait to be sent: what a caller hands over first is
// sent first, however many goroutines publish (4.6). The session's mu guards it.
type queue struct {
	list  list.List // of *outgoing
	bytes int
	limit Queue
}

func (q *queue) first() *outgoing {
	if e := q.list.Front(); e != nil {
		return e.Value.(*outgoing)
	}
	return nil
}

// put appends a message, and returns those that had to give way to it. With an
// error it was not appended.
func (q *queue) put(o *outgoing) (dropped []*outgoing, err error) {
	size := len(o.frame)
	for q.list.Len() >= q.limit.Messages || q.bytes+size > q.limit.Bytes {
		switch {
		case q.limit.Policy == DropNewest:
			return dropped, newError(Dropped, "publish: %s; the newest message gave way", q.full())
		case q.limit.Policy == Reject || size > q.limit.Bytes || q.list.Len() == 0:
			return dropped, newError(QueueFull, "publish: %s; wait until others were sent", q.full())
		}
		oldest := q.first()
		q.remove(oldest)
		dropped = append(dropped, oldest)
	}
	q.append(o)
	return dropped, nil
}

// append makes a message the last, whatever the limits.
func (q *queue) append(o *outgoing) {
	o.place = q.list.PushBack(o)
	q.bytes += len(o.frame)
}

func (q *queue) full() string {
	return fmt.Sprintf("%d messages with %d bytes wait to be sent, of at most %d with %d",
		q.list.Len(), q.bytes, q.limit.Messages, q.limit.Bytes)
}

// putBack makes a message the first again, whatever the limits.
func (q *queue) putBack(o *outgoing) {
	o.place = q.list.PushFront(o)
	q.bytes += len(o.frame)
}

// remove takes a message out; false when it isn't in.
func (q *queue) remove(o *outgoing) bool {
	if o.place == nil {
		return false
	}
	q.list.Remove(o.place)
	o.place = nil
	if o.timer != nil {
		o.timer.Stop()
		o.timer = nil
	}
	q.bytes -= len(o.frame)
	return true
}

// takeAll empties the queue of messages that match.
func (q *queue) takeAll(match func(*outgoing) bool) (taken []*outgoing) {
	for e := q.list.Front(); e != nil; {
		o := e.Value.(*outgoing)
		e = e.Next()
		if match(o) {
			q.remove(o)
			taken = append(taken, o)
		}
	}
	return taken
}
