import { openBare } from './bare';
import type { Open } from './contestant';
import { loadInWorker } from './in-worker';
import { loadMqttJs } from './mqttjs';
import { loadMqttwasm } from './mqttwasm';
import type { Name } from './names';
import { loadPaho } from './paho';

export const load: Record<Name, () => Promise<Open>> = {
  bare: async () => openBare,
  'bare-worker': () => loadInWorker('bare'),
  mqttjs: loadMqttJs,
  'mqttjs-worker': () => loadInWorker('mqttjs'),
  paho: loadPaho,
  mqttwasm: () => loadMqttwasm('message'),
  'mqttwasm-batch': () => loadMqttwasm('batch'),
};
