/** Round numbers from below `low` to above `high`, about so many. They are between -1e100 and 1e100. */
export function ticks(low: number, high: number, about: number): number[] {
  const room = high > low ? high - low : Math.abs(low) || 1;
  const [from, to] = high > low ? [low, high] : [low - room / 2, low + room / 2];
  const rough = room / Math.max(about, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.floor(from / step);
  const last = Math.ceil(to / step);
  // Numbers too close to each other for their size can't be divided.
  if (step < 1e-90 || last - first > 100) return [from, to];
  // Rounded to the digits of the step: 0.1 * 3 is not 0.3.
  const places = Math.min(Math.max(0, -Math.floor(Math.log10(step))), 100);
  return Array.from({ length: last - first + 1 }, (_, n) => Number(((first + n) * step).toFixed(places)));
}
