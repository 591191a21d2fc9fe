// With the platform's own WebSocket, as from Node 22 on.

import process from 'node:process';
import { connect } from 'mqttwasm';
import { roundTrip } from './run.js';

console.log('node:', await roundTrip(connect, process.argv[2], { worker: false }));
