import { afterEach, beforeEach, expect, test, vi } from 'vitest';

interface Rules {
  createScriptURL(url: string): string;
}

/** Creates policies that mark the addresses they create. */
const createPolicy = vi.fn((name: string, rules: Rules) => ({
  createScriptURL: (url: string) => `${name} ${rules.createScriptURL(url)}`,
}));

let assets: typeof import('./asset-urls');

beforeEach(async () => {
  createPolicy.mockClear();
  vi.stubGlobal('location', { href: 'https://site.test/app/' });
  vi.stubGlobal('origin', 'https://site.test');
  vi.stubGlobal('trustedTypes', { createPolicy });
  vi.resetModules();
  assets = await import('./asset-urls');
});
afterEach(() => {
  vi.unstubAllGlobals();
});

test('the policy is created once, when the first script starts', () => {
  expect(createPolicy).not.toHaveBeenCalled();
  expect(assets.scriptUrl('w.js')).toBe('mqttwasm https://site.test/app/w.js');
  expect(assets.scriptUrl('blob:https://site.test/1')).toBe('mqttwasm blob:https://site.test/1');
  expect(createPolicy).toHaveBeenCalledOnce();
});

test.each(['https://cdn.test/w.js', 'data:text/javascript,0', 'javascript:0'])(
  "the policy refuses %s, which is not the page's",
  (url) => {
    expect(() => assets.scriptUrl(url)).toThrow("is not of the page's origin");
  },
);

test('a frame without an origin of its own inherits that of its parent page', () => {
  vi.stubGlobal('location', { href: 'about:srcdoc', origin: 'null' });
  expect(assets.isForeign('https://site.test/w.js')).toBe(false);
  expect(assets.scriptUrl('https://site.test/w.js')).toBe('mqttwasm https://site.test/w.js');
});

test.each([
  ['https://site.test/w.js', true],
  ['blob:null/1', false],
])('to a sandboxed frame, whose origin is opaque, %s is foreign: %s', (url, foreign) => {
  vi.stubGlobal('origin', 'null');
  expect(assets.isForeign(url)).toBe(foreign);
});

test('if the page forbids the policy, it is tried only once, and plain URLs are used', () => {
  createPolicy.mockImplementationOnce(() => {
    throw new TypeError('disallowed');
  });
  for (const name of ['w.js', 's.js']) {
    expect(String(assets.scriptUrl(name))).toBe(`https://site.test/app/${name}`);
  }
  expect(createPolicy).toHaveBeenCalledOnce();
  expect(assets.startFailure(new Error('refused'))).toMatch(/refused.*"trusted-types mqttwasm".*disallowed/);
});

test('without Trusted Types an address is a plain URL, and a failure mentions no policy', () => {
  vi.stubGlobal('trustedTypes', undefined);
  expect(assets.scriptUrl('w.js')).toEqual(new URL('https://site.test/app/w.js'));
  expect(assets.startFailure(new Error('refused'))).toBe('Error: refused');
});
