// join-data.mjs FILE: joins the data segments of a wasm, in place. Go's linker begins one
// after every few zeros, 55,000 in all, whose heads compress worse than the zeros.

import { readFileSync, writeFileSync } from 'node:fs';

/** Zeros that cost less than the head of a segment. */
const gap = 64;
const dataSection = 11;
const active = 0;
const i32Const = 0x41;
const end = 0x0b;

const [file] = process.argv.slice(2);
const bytes = readFileSync(file);
const magic = 8;

const written = [bytes.subarray(0, magic)];
for (let at = magic; at < bytes.length; ) {
  const [size, body] = leb(bytes, at + 1);
  const section = bytes.subarray(at, body + size);
  written.push(bytes[at] === dataSection ? joined(bytes.subarray(body, body + size)) : section);
  at = body + size;
}
writeFileSync(file, Buffer.concat(written));

function joined(data) {
  const segments = [];
  for (const { offset, content } of read(data)) {
    const last = segments.at(-1);
    const zeros = last ? offset - last.end : 0;
    if (zeros < 0) throw new Error('data segments overlap');
    if (last && zeros <= gap) last.parts.push(Buffer.alloc(zeros), content);
    else segments.push({ offset, parts: [content] });
    segments.at(-1).end = offset + content.length;
  }
  const body = segments.flatMap(({ offset, parts, end: last }) => [
    Buffer.from([active, i32Const, ...unsigned(offset, true), end, ...unsigned(last - offset)]),
    ...parts,
  ]);
  const content = Buffer.concat([Buffer.from(unsigned(segments.length)), ...body]);
  return Buffer.concat([Buffer.from([dataSection, ...unsigned(content.length)]), content]);
}

/** In the order of their offsets. */
function read(data) {
  let [count, at] = leb(data, 0);
  const segments = [];
  for (; count > 0; count--) {
    if (data[at] !== active || data[at + 1] !== i32Const) throw new Error('a data segment of another kind');
    const [offset, afterOffset] = leb(data, at + 2);
    const [size, start] = leb(data, afterOffset + 1);
    at = start + size;
    segments.push({ offset, content: data.subarray(start, at) });
  }
  return segments.sort((a, b) => a.offset - b.offset);
}

/** A number in LEB128 and where it ends. Offsets are signed there, but never below zero. */
function leb(from, start) {
  let value = 0;
  for (let at = start, scale = 1; ; at++, scale *= 128) {
    value += (from[at] & 127) * scale;
    if (from[at] < 128) return [value, at + 1];
  }
}

/** `signed`: with room for a sign. */
function unsigned(value, signed = false) {
  const out = [];
  for (; value > (signed ? 63 : 127); value = Math.floor(value / 128)) out.push((value % 128) | 128);
  return [...out, value];
}
