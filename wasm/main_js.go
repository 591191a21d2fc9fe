// Command wasm is the client as a WebAssembly program for browsers and Node. It
// installs one global, mqttwasm, with one function:
//
//	mqttwasm.connect(options) → Promise<client>
//
// What the client receives it hands over in batches, to options.onBatch. The
// client's methods, and all names, units and defaults, are in
// web/src/protocol/boundary.ts.
package main

import (
	"runtime/debug"
	"syscall/js"
)

// memoryLimit, in bytes, is what garbage is not to grow beyond. How often it is
// collected else is left as Go has it: each time, the values that JavaScript is to
// let go of are told one by one, and less often would mean longer halts.
const memoryLimit = 256 << 20

func main() {
	debug.SetMemoryLimit(memoryLimit)
	api := objectClass.New()
	api.Set("connect", js.FuncOf(func(_ js.Value, args []js.Value) any { return connect(argument(args, 0)) }))
	js.Global().Set("mqttwasm", api)
	select {}
}
