import type { Unit } from '../work/work';

/** Three significant digits and the unit. */
export function quantity(value: number, unit: Unit): string {
  switch (unit) {
    case 'msg/s':
      return `${thousands(value)}/s`;
    case '%':
      return `${digits(value)} %`;
    default:
      return `${digits(value)} ${unit}`;
  }
}

function thousands(value: number): string {
  if (value >= 1e6) return `${digits(value / 1e6)}M`;
  if (value >= 1e3) return `${digits(value / 1e3)}k`;
  return digits(value);
}

function digits(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(value < 1 ? 2 : 3)));
}

export const times = (value: number): string => `${value.toFixed(2)}×`;
