import { contestants, type Name } from '../contestants/names';
import { quantity } from './format';
import { type Line, middleOf, type Results } from './results';

const shown: Name[] = ['bare', 'mqttjs', 'paho', 'mqttwasm'];

/** The lines of the chart, with titles for readers who don't know the benchmark. */
const panels: [id: string, title: string][] = [
  ['receive-qos0-64-1', 'Receive 64 B, one in a frame'],
  ['receive-qos0-64-20', 'Receive 64 B, 20 in a frame'],
  ['receive-qos0-1024-20', 'Receive 1 KiB, 20 in a frame'],
  ['publish-qos0-64', 'Publish 64 B, QoS 0'],
  ['publish-qos1-64', 'Publish 64 B, QoS 1'],
  ['latency-5000-p99', 'Round trip at 5,000/s, 99 %'],
  ['busy-1', 'Main thread busy at 10,000/s'],
];

const width = 720;
const left = 130;
const right = 90;
const bar = 14;
const pitch = 20;
const head = 40;
const gap = 18;

/** Colours follow the reader's light or dark setting, also inside an <img>. */
const style = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .title { font-weight: 600; }
  .note, .label { fill: #59636e; }
  .bar { fill: #afb8c1; }
  .own { fill: #0969da; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .note, .label { fill: #9198a1; }
    .bar { fill: #59636e; }
    .own { fill: #4493f8; }
  }`;

/** The most telling lines as bars; empty when none was measured. */
export function chart(results: Results): string {
  let y = 0;
  const parts = panels.flatMap(([id, title]) => {
    const line = results.lines.find((candidate) => candidate.id === id);
    if (!line) return [];
    const text = panel(line, title, y);
    y += head + pitch * shown.length + gap;
    return text;
  });
  if (parts.length === 0) return '';
  const label = 'Benchmark: this client against a bare WebSocket, MQTT.js and Paho JS';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" role="img" aria-label="${label}">`,
    `<style>${style}\n</style>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function panel(line: Line, title: string, top: number): string[] {
  const medians = shown.map((name) => middleOf(line, name)?.median ?? 0);
  const scale = (width - left - right) / Math.max(...medians);
  const better = line.better === 'more' ? 'more is better' : 'less is better';
  return [
    `<text class="title" x="0" y="${top + 24}">${escaped(title)} <tspan class="note" font-weight="400">${better}</tspan></text>`,
    ...shown.flatMap((name, index) => {
      const value = medians[index] as number;
      const y = top + head + index * pitch;
      const length = Math.max(1, value * scale).toFixed(1);
      const own = name === 'mqttwasm' ? ' own' : '';
      return [
        `<text class="label" x="${left - 8}" y="${y + 11}" text-anchor="end">${escaped(contestants[name])}</text>`,
        `<rect class="bar${own}" x="${left}" y="${y}" width="${length}" height="${bar}" rx="2"/>`,
        `<text x="${(left + Number(length) + 6).toFixed(1)}" y="${y + 11}">${quantity(value, line.unit)}</text>`,
      ];
    }),
  ];
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
