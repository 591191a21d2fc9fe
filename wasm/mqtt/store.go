package mqtt

import (
	"context"

	"mqttwasm/wasm/mqtt/internal/session"
)

// Store keeps a session beyond the end of the program (4.1): keys and values, in the
// order of the keys. One client uses it at a time. Its errors are wrapped in an
// [*Error] with Storage, unless they are one.
type Store interface {
	// Load returns all records in the order of their keys. It is called first,
	// once, and may block until ctx is done. An error fails Connect.
	Load(ctx context.Context) ([]Record, error)
	// Apply makes changes, all or nothing, and returns at once; a nil Value
	// deletes. Calls take effect in their order. done is called in that order
	// too, after Apply returned and from any goroutine, when the changes will
	// survive the program, or with the error for which they don't. The slices
	// may be kept.
	Apply(changes []Record, done func(error))
	// Close is called once, at the end of the client, also if Connect fails. It may
	// wait until all changes are done.
	Close() error
}

// Record is one entry of a [Store]: its Key, a string of lower-case letters and digits,
// and its Value, a []byte that only the client interprets.
type Record = session.Record
