//go:build !js

package mqtt_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"mqttwasm/wasm/mqtt"
)

// fileStore is a Store in a file that is rewritten on each change: enough for a program
// that publishes now and then.
type fileStore struct {
	name    string
	records map[string][]byte

	mu   sync.Mutex
	last chan struct{} // closed when the last change has been written
}

func newFileStore(name string) *fileStore {
	none := make(chan struct{})
	close(none)
	return &fileStore{name: name, records: map[string][]byte{}, last: none}
}

func (s *fileStore) Load(context.Context) ([]mqtt.Record, error) {
	data, err := os.ReadFile(s.name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &s.records); err != nil {
		return nil, err
	}
	var list []mqtt.Record
	for _, key := range slices.Sorted(maps.Keys(s.records)) {
		list = append(list, mqtt.Record{Key: key, Value: s.records[key]})
	}
	return list, nil
}

func (s *fileStore) Apply(changes []mqtt.Record, done func(error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, mine := s.last, make(chan struct{})
	s.last = mine
	go func() {
		<-before
		done(s.write(changes))
		close(mine)
	}()
}

func (s *fileStore) write(changes []mqtt.Record) error {
	for _, change := range changes {
		if change.Value == nil {
			delete(s.records, change.Key)
		} else {
			s.records[change.Key] = change.Value
		}
	}
	data, err := json.Marshal(s.records)
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.name+".new", data, 0o600); err != nil {
		return err
	}
	return os.Rename(s.name+".new", s.name)
}

func (s *fileStore) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	<-s.last
	return nil
}

// A stored message is sent by the next program that has the same client identifier and
// store.
func ExampleStore() {
	url, stop := localBroker()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	dir, err := os.MkdirTemp("", "mqtt")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	options := func() mqtt.Options {
		return mqtt.Options{
			URL: url, ClientID: "till-7",
			KeepSession: true, SessionExpiry: time.Hour,
			Store: newFileStore(filepath.Join(dir, "session")),
		}
	}

	first, err := mqtt.Connect(ctx, options())
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := first.Suspend(ctx); err != nil { // as if the network were down
		fmt.Println(err)
		return
	}
	order := mqtt.Message{Topic: "orders", Payload: []byte("two teas"), QoS: 1}
	_, err = first.PublishAsync(&order, mqtt.PublishOptions{Stored: true}).Wait(ctx)
	fmt.Println("stored:", err)
	_ = first.Disconnect(ctx, mqtt.DisconnectOptions{})

	kitchen, err := mqtt.Connect(ctx, mqtt.Options{URL: url})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = kitchen.Disconnect(ctx, mqtt.DisconnectOptions{}) }()
	if _, err := kitchen.Subscribe(ctx, []mqtt.Subscription{{Filter: "orders", QoS: 1}}, mqtt.SubscribeOptions{}); err != nil {
		fmt.Println(err)
		return
	}

	second, err := mqtt.Connect(ctx, options())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = second.Disconnect(ctx, mqtt.DisconnectOptions{}) }()
	batch, err := kitchen.Receive(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	for message := range batch.Messages() {
		fmt.Printf("%s: %s\n", message.Topic, message.Payload)
	}
	batch.Done()

	// Output:
	// stored: <nil>
	// orders: two teas
}
