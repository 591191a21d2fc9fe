import { connect } from 'mqttwasm';
import mqtt from 'mqttwasm/compat';
import sharedWorkerUrl from 'mqttwasm/shared-worker?url';
import wasmUrl from 'mqttwasm/wasm?url';
import workerUrl from 'mqttwasm/worker?url';
import { run } from './run.js';

const addresses = { workerUrl, sharedWorkerUrl, wasmUrl };
run({ connect, mqtt }, new URLSearchParams(location.search).get('broker'), addresses);
