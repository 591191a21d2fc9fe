// All the JavaScript there is: it starts the program, with the broker as its argument.

const go = new globalThis.Go();
const broker = new URLSearchParams(location.search).get('broker');
if (broker) go.argv = ['hello', broker];
const { instance } = await WebAssembly.instantiateStreaming(fetch('./hello.wasm'), go.importObject);
await go.run(instance);
