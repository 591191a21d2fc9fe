// The library is of this page's origin, or of the other one, where its worker and its wasm are.

import { run } from './run.js';

const parameters = new URLSearchParams(location.search);
const cdn = parameters.get('cdn');
const own = parameters.has('own');
const from = own ? new URL('node_modules/mqttwasm/dist/', location.href).href : cdn;
const { connect } = await import(`${from}index.js`);
const { default: mqtt } = await import(`${from}compat.js`);
const addresses = { workerUrl: new URL('mqttwasm-worker.js', cdn), wasmUrl: `${cdn}mqttwasm.wasm` };
run({ connect, mqtt }, parameters.get('broker'), own ? addresses : {});
