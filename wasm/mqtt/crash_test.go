package mqtt

import (
	"testing"
)

// A crash at every step: no message is lost, and no QoS 2 message is duplicated.
func TestCrashWhilePublishing(t *testing.T) {
	const messages = 4
	for n, crashed := 1, true; crashed; n++ {
		d := newDisk()
		k := newKeeper(t, d)
		c := newCrash(n)
		stored := make([]bool, messages)
		k.program(c, func(client *Client) {
			var done []<-chan error
			for i := range stored {
				done = append(done, storeAsync(client, Message{Topic: "t", QoS: byte(1 + i%2), Payload: []byte{byte(i)}}))
			}
			for i, ch := range done {
				stored[i] = <-ch == nil
			}
			<-idle(client)
		})
		crashed = c.deadNow()
		k.program(newCrash(0), func(client *Client) { <-idle(client) })
		for i, wasStored := range stored {
			count := k.delivered[string(rune(i))]
			if wasStored && count == 0 {
				t.Errorf("crash at step %d: message %d, QoS %d, was lost", n, i, 1+i%2)
			}
			if i%2 == 1 && count > 1 {
				t.Errorf("crash at step %d: message %d arrived %d times", n, i, count)
			}
		}
		if keys := d.keys(); len(keys) > 0 {
			t.Errorf("crash at step %d: left in the store: %v", n, keys)
		}
		if n > 200 {
			t.Fatal("the exchange never ends")
		}
	}
}

func TestCrashWhileReceiving(t *testing.T) {
	for n, crashed := 1, true; crashed; n++ {
		d := newDisk()
		k := newKeeper(t, d)
		for i := range 4 {
			k.out = append(k.out, &kept{id: uint16(i + 1), qos: byte(1 + i%2)})
		}
		seen := map[byte]bool{}
		receive := func(c *crash) func(client *Client) {
			return func(client *Client) {
				go func() {
					for {
						batch, err := client.Receive(background)
						if err != nil {
							return
						}
						k.mu.Lock()
						for m := range batch.Messages() {
							id := m.Payload[0]
							if c.deadNow() {
								continue
							}
							seen[id] = true
							if k.out[id-1].received {
								t.Errorf("crash at step %d: message %d was handed out again after PUBREC", n, id)
							}
						}
						k.mu.Unlock()
						batch.Done()
					}
				}()
				for !k.allDone() {
					select {
					case <-k.settled:
					case <-client.Done():
						return
					case <-c.happened:
						return
					}
				}
			}
		}
		c := newCrash(n)
		k.program(c, receive(c))
		crashed = c.deadNow()
		c2 := newCrash(0)
		k.program(c2, receive(c2))
		if len(seen) != 4 {
			t.Errorf("crash at step %d: only %v arrived", n, seen)
		}
		if keys := d.keys(); len(keys) > 0 {
			t.Errorf("crash at step %d: left in the store: %v", n, keys)
		}
		if n > 200 {
			t.Fatal("the exchange never ends")
		}
	}
}
