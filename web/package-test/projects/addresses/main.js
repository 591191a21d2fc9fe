import { connect } from 'mqttwasm';
import mqtt from 'mqttwasm/compat';
import { run } from './run.js';

const addresses = {
  workerUrl: new URL('mqttwasm/worker', import.meta.url),
  sharedWorkerUrl: new URL('mqttwasm/shared-worker', import.meta.url),
  wasmUrl: new URL('mqttwasm/wasm', import.meta.url),
};
run({ connect, mqtt }, new URLSearchParams(location.search).get('broker'), addresses);
