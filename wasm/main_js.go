// Command wasm is the client as a WebAssembly program for browsers and Node. It
// installs one global, mqttwasm, with one function:
//
//	mqttwasm.connect(options) → Promise<client>
//
// Received messages are handed over in batches, to options.onBatch. The client's
// methods, and all names, units and defaults, are in web/src/protocol/boundary.ts.
package main

import (
	"runtime/debug"
	"syscall/js"
)

// memoryLimit, in bytes, is what garbage must not grow beyond. Otherwise GOGC keeps its
// default: each collection releases JavaScript values one by one, so fewer collections
// would mean longer pauses.
const memoryLimit = 256 << 20

func main() {
	debug.SetMemoryLimit(memoryLimit)
	api := objectClass.New()
	api.Set("connect", js.FuncOf(func(_ js.Value, args []js.Value) any { return connect(argument(args, 0)) }))
	js.Global().Set("mqttwasm", api)
	select {}
}
