import { connect } from 'mqttwasm';
import mqtt from 'mqttwasm/compat';
import { run } from './run.js';

run({ connect, mqtt }, new URLSearchParams(location.search).get('broker'));
