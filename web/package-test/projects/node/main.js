// Prints, and must then end by itself: nothing of a client that has ended may keep Node running.

import process from 'node:process';
import { connect } from 'mqttwasm';
import mqtt from 'mqttwasm/compat';
import 'mqttwasm/elements'; // a page may be rendered here
import WebSocket from 'ws';
import { compatRoundTrip, roundTrip } from './run.js';

const [, , url] = process.argv;
console.log('node:', await roundTrip(connect, url, { worker: false, WebSocket }));
console.log('compat:', await compatRoundTrip(mqtt, url, { worker: false, WebSocket }));
