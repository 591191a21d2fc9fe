/** The charts as a PNG, with their ground and the names of their lines. */

import { coloursAt } from '../core/theme-colours';

export interface Part {
  chart: HTMLCanvasElement;
  lines: [title: string, colour: number][];
}

export function picture(parts: readonly Part[], element: HTMLElement): Promise<Blob | null> {
  const style = getComputedStyle(element);
  const colour = coloursAt(element);
  const [first] = parts;
  const scale = first ? first.chart.width / Math.max(1, first.chart.clientWidth) : 1;
  const lineHeight = 18 * scale;
  const gap = 10 * scale;
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(...parts.map(({ chart }) => chart.width));
  canvas.height = parts.reduce(
    (sum, { chart, lines }) => sum + chart.height + lines.length * lineHeight + 2 * gap,
    0,
  );
  const context = canvas.getContext('2d');
  if (!context) return Promise.resolve(null);
  context.fillStyle = colour('--surface');
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.font = `${12 * scale}px ${style.fontFamily}`;
  context.textBaseline = 'middle';
  let top = 0;
  for (const { chart, lines } of parts) {
    top += gap;
    for (const [title, number] of lines) {
      const middle = top + lineHeight / 2;
      context.fillStyle = colour(`--series-${number}`);
      context.fillRect(gap, middle - 1.5 * scale, 14 * scale, 3 * scale);
      context.fillStyle = colour('--text');
      context.fillText(title, gap + 20 * scale, middle);
      top += lineHeight;
    }
    top += gap;
    context.drawImage(chart, 0, top);
    top += chart.height;
  }
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
}
