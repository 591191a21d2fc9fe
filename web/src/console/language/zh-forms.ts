/** The forms in Chinese. */

import type { Dictionary } from './language';

export const forms: Dictionary = {};
