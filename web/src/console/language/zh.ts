/** Chinese, as it is written in mainland China. */

import type { Dictionary } from './language';
import { forms } from './zh-forms';
import { views } from './zh-views';

export const zh: Dictionary = { ...forms, ...views };
