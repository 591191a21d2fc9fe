import { afterEach, beforeEach, expect, test, vi } from 'vitest';

interface Rules {
  createScriptURL(url: string): string;
}

/** Creates policies whose addresses are marked as theirs. */
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

test('the policy is made when the first script starts, and once', () => {
  expect(createPolicy).not.toHaveBeenCalled();
  expect(assets.scriptUrl('w.js')).toBe('mqttwasm https://site.test/app/w.js');
  expect(assets.scriptUrl('blob:https://site.test/1')).toBe('mqttwasm blob:https://site.test/1');
  expect(createPolicy).toHaveBeenCalledOnce();
});

test.each(['https://cdn.test/w.js', 'data:text/javascript,0', 'javascript:0'])(
  'the policy refuses %s, which is not of the page',
  (url) => {
    expect(() => assets.scriptUrl(url)).toThrow("is not of the page's origin");
  },
);

test('a frame without an address of its own has the origin of the page around it', () => {
  vi.stubGlobal('location', { href: 'about:srcdoc', origin: 'null' });
  expect(assets.isForeign('https://site.test/w.js')).toBe(false);
  expect(assets.scriptUrl('https://site.test/w.js')).toBe('mqttwasm https://site.test/w.js');
});

test.each([
  ['https://site.test/w.js', true],
  ['blob:null/1', false],
])('to a sandboxed frame, which has no origin, %s is foreign: %s', (url, foreign) => {
  vi.stubGlobal('origin', 'null');
  expect(assets.isForeign(url)).toBe(foreign);
});

test('a page that does not allow the policy is asked once, and may do without', () => {
  createPolicy.mockImplementationOnce(() => {
    throw new TypeError('disallowed');
  });
  for (const name of ['w.js', 's.js']) {
    expect(String(assets.scriptUrl(name))).toBe(`https://site.test/app/${name}`);
  }
  expect(createPolicy).toHaveBeenCalledOnce();
  expect(assets.startFailure(new Error('refused'))).toMatch(/refused.*"trusted-types mqttwasm".*disallowed/);
});

test('without Trusted Types an address is an address, and a failure is only itself', () => {
  vi.stubGlobal('trustedTypes', undefined);
  expect(assets.scriptUrl('w.js')).toEqual(new URL('https://site.test/app/w.js'));
  expect(assets.startFailure(new Error('refused'))).toBe('Error: refused');
});
