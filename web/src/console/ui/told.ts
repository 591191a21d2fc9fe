import { useMemo } from 'preact/hooks';
import { createTold, type Told } from '../core/i18n/i18n';

/** What a part of the page has told last. */
export const useTold = (): Told => useMemo(createTold, []);
