import { connect } from 'mqttwasm';
import WebSocket from 'ws';

const client = await connect('ws://localhost/mqtt', { WebSocket });
await client.end();
