/** Chinese, as it is written in mainland China. */

import type { Dictionary } from './language';

export const zh: Dictionary = {};
