// Command wasm is the client as a WebAssembly program for browsers and Node. It
// installs one global, mqttwasm, with one function:
//
//	mqttwasm.connect(options) → Promise<client>
//
// What the client receives it hands over in batches, to options.onBatch. The
// client's methods, and all names, units and defaults, are in
// web/src/worker/messages.ts.
package main

import (
	"runtime/debug"
	"syscall/js"
)

// The collector's default is made for servers: here every collection stops the
// only thread. It may let garbage grow to four times what lives, but never
// beyond the limit as long as that suffices.
const (
	gcPercent   = 400
	memoryLimit = 256 << 20 // bytes
)

func main() {
	debug.SetGCPercent(gcPercent)
	debug.SetMemoryLimit(memoryLimit)
	api := objectClass.New()
	api.Set("connect", js.FuncOf(func(_ js.Value, args []js.Value) any { return connect(argument(args, 0)) }))
	js.Global().Set("mqttwasm", api)
	select {}
}
