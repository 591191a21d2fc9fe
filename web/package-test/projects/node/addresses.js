// The files of the package, where they are, and the wasm given by its address.

import { existsSync } from 'node:fs';
import process from 'node:process';
import { connect } from 'mqttwasm';
import WebSocket from 'ws';
import { roundTrip } from './run.js';

for (const file of ['worker', 'shared-worker', 'wasm']) {
  if (!existsSync(new URL(import.meta.resolve(`mqttwasm/${file}`)))) throw new Error(`there is no ${file}`);
}
const wasmUrl = import.meta.resolve('mqttwasm/wasm');
console.log('node:', await roundTrip(connect, process.argv[2], { worker: false, WebSocket, wasmUrl }));
const wrong = roundTrip(connect, process.argv[2], { worker: false, WebSocket, wasmUrl: `${wasmUrl}.not` });
console.log(await wrong.catch((error) => error.code));
