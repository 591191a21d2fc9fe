import { brokers } from './brokers';
import { busy } from './busy';
import { core } from './core';
import { growth } from './growth';
import { latency } from './latency';
import { memory } from './memory';
import { publish, wire } from './publish';
import { receive } from './receive';
import { start } from './start';
import type { Work } from './work';

export const works: Work[] = [
  ...receive,
  ...publish,
  ...latency,
  ...busy,
  ...start,
  memory,
  ...growth,
  core,
  ...brokers,
  wire,
];
