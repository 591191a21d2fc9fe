/** The views in Chinese: messages, topics, payloads, recordings, the broker's values and packets. */

import type { Dictionary } from './language';
import { feed } from './zh-feed';
import { payload } from './zh-payload';
import { recordings } from './zh-recordings';
import { topics } from './zh-topics';

export const views: Dictionary = { ...feed, ...topics, ...payload, ...recordings };
