import type { Point } from '../core/point';
import './sparkline.css';

const width = 100;
const height = 30;

/** The points as those of a line in a box, from the lowest value to the highest; a flat one is in the middle. */
export function lineOf(points: readonly Point[]): string {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const [left, low] = [Math.min(...xs), Math.min(...ys)];
  const wide = Math.max(...xs) - left;
  // Halves, because the difference of two numbers may be Infinity.
  const high = Math.max(...ys) / 2 - low / 2;
  const place = ([x, y]: Point): string => {
    const across = wide === 0 ? 0 : ((x - left) / wide) * width;
    const down = high === 0 ? height / 2 : height - ((y / 2 - low / 2) / high) * height;
    return `${across.toFixed(2)},${down.toFixed(2)}`;
  };
  return points.map(place).join(' ');
}

/** A small line without axes; `label` says in words what it shows. */
export function Sparkline({ points, label }: { points: readonly Point[]; label: string }) {
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      {points.length > 1 && <polyline points={lineOf(points)} />}
    </svg>
  );
}
