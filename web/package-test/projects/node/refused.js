// Prints why it could not connect, and must then end by itself.

import { connect } from 'mqttwasm';
import WebSocket from 'ws';

await connect('ws://127.0.0.1:1/mqtt', { worker: false, WebSocket }).catch(({ code }) => console.log(code));
setTimeout(() => console.log('something keeps it running'), 10_000).unref();
