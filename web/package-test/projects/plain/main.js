import mqtt from './node_modules/mqttwasm/dist/compat.js';
import { connect } from './node_modules/mqttwasm/dist/index.js';
import { run } from './run.js';

run({ connect, mqtt }, new URLSearchParams(location.search).get('broker'));
