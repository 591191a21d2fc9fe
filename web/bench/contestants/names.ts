/** In the order they take turns, which is also the order of the table's columns. */
export const contestants = {
  bare: 'bare WebSocket',
  'bare-worker': 'bare, in a worker',
  mqttjs: 'MQTT.js',
  'mqttjs-worker': 'MQTT.js, in a worker',
  paho: 'Paho JS',
  mqttwasm: 'mqttwasm',
  'mqttwasm-batch': 'mqttwasm, batches',
} as const;

export type Name = keyof typeof contestants;

export const all = Object.keys(contestants) as Name[];
