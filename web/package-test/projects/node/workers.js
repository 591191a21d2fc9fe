// Where the platform has workers as browsers do, and a WebSocket. The worker is kept for a
// while for the next client, which is not waited for.

import process from 'node:process';
import { connect } from 'mqttwasm';
import { roundTrip } from './run.js';

const url = process.argv[2];
if (typeof Worker === 'undefined') throw new Error('there are no workers');
console.log('worker:', await roundTrip(connect, url));
console.log('shared:', await roundTrip(connect, url, { shared: true }));
process.exit();
