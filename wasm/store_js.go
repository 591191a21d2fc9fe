package main

import (
	"context"
	"syscall/js"

	"mqttwasm/wasm/mqtt"
)

// pageStore is a BoundaryStore of JavaScript as the core's Store. Load opens it, since
// that is the first call that may block.
type pageStore struct {
	open   js.Value // openStore of BoundaryEnvironment
	name   string
	handle js.Value      // undefined until opened
	last   chan struct{} // closed when the last Apply is done
}

func (s *pageStore) Load(ctx context.Context) ([]mqtt.Record, error) {
	handle, err := s.openUntil(ctx)
	if err != nil {
		return nil, err
	}
	s.handle = handle
	list, err := callMethod(handle, "load")
	if err == nil {
		list, err = await(ctx, list)
	}
	if err != nil {
		return nil, err
	}
	// The list comes from this module's own code, and may be longer than maxList.
	records := make([]mqtt.Record, list.Length())
	for i := range records {
		item := list.Index(i)
		value := make([]byte, item.Index(1).Get("length").Int())
		js.CopyBytesToGo(value, item.Index(1))
		records[i] = mqtt.Record{Key: item.Index(0).String(), Value: value}
	}
	return records, nil
}

// openUntil opens the store, and closes it again if it opens after ctx is done: an open
// store is locked for all other clients.
func (s *pageStore) openUntil(ctx context.Context) (js.Value, error) {
	opening, err := invoke(s.open, s.name)
	if err != nil {
		return js.Undefined(), err
	}
	handle, err := await(ctx, opening)
	if ctx.Err() == nil {
		return handle, err
	}
	go func() {
		late, err := await(context.Background(), opening)
		if err == nil {
			_, err = callMethod(late, "close")
			report(err)
		}
	}()
	return js.Undefined(), ctx.Err()
}

func (s *pageStore) Apply(changes []mqtt.Record, done func(error)) {
	list := make([]any, len(changes))
	for i, change := range changes {
		value := js.Null()
		if change.Value != nil {
			value = bytesValue(change.Value)
		}
		list[i] = []any{change.Key, value}
	}
	result, err := callMethod(s.handle, "apply", list)
	before, mine := s.last, make(chan struct{})
	s.last = mine
	go func() {
		if err == nil {
			_, err = await(context.Background(), result)
		}
		if before != nil {
			<-before
		}
		done(err)
		close(mine)
	}()
}

func (s *pageStore) Close() error {
	if s.handle.IsUndefined() {
		return nil
	}
	_, err := callMethod(s.handle, "close")
	return err
}
