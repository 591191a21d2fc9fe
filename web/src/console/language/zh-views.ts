import type { Dictionary } from './language';

export const views: Dictionary = {};
