import { useMemo } from 'preact/hooks';
import { createTold, type Told } from '../core/i18n/i18n';

/** The last message of a part of the page. */
export const useTold = (): Told => useMemo(createTold, []);
