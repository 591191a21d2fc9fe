/** Apart from other text: only lazy parts need it. */

import { formatTime } from './text';

/** Local date and time, to the millisecond. */
export function formatMoment(milliseconds: number): string {
  const date = new Date(milliseconds);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${formatTime(milliseconds)}`;
}
