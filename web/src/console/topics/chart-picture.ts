/** The chart as a PNG, with its ground and the names of its lines. */

import { coloursAt } from '../core/theme-colours';

export function picture(
  chart: HTMLCanvasElement,
  element: HTMLElement,
  lines: [title: string, colour: number][],
): Promise<Blob | null> {
  const style = getComputedStyle(element);
  const colour = coloursAt(element);
  const scale = chart.width / Math.max(1, chart.clientWidth);
  const lineHeight = 18 * scale;
  const gap = 10 * scale;
  const canvas = document.createElement('canvas');
  canvas.width = chart.width;
  canvas.height = chart.height + lines.length * lineHeight + 2 * gap;
  const context = canvas.getContext('2d');
  if (!context) return Promise.resolve(null);
  context.fillStyle = colour('--surface');
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.font = `${12 * scale}px ${style.fontFamily}`;
  context.textBaseline = 'middle';
  lines.forEach(([title, number], index) => {
    const middle = gap + (index + 0.5) * lineHeight;
    context.fillStyle = colour(`--series-${number}`);
    context.fillRect(gap, middle - 1.5 * scale, 14 * scale, 3 * scale);
    context.fillStyle = colour('--text');
    context.fillText(title, gap + 20 * scale, middle);
  });
  context.drawImage(chart, 0, canvas.height - chart.height);
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
}
