import { beforeEach, describe, expect, it, vi } from 'vitest';
import { choose, createTold, language, parts, plural, preferred, saying, start, t } from './i18n';

vi.mock('./zh', () => ({
  zh: {
    Close: '关闭',
    'Close {name}': '关闭 {name}',
    '{from} to {to}': '到 {to}，从 {from}',
    '{count} messages': '{count} 条消息',
  },
}));

let kept: Record<string, string>;
let root: { lang: string };

beforeEach(async () => {
  kept = {};
  root = { lang: 'en' };
  vi.stubGlobal('document', { documentElement: root });
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => kept[key] ?? null,
    setItem: (key: string, value: string) => {
      kept[key] = value;
    },
  });
  await choose('en');
  kept = {};
});

it('texts already shown, including errors, follow the current language', async () => {
  const [words, reason] = [createTold(), createTold()];
  expect(words.value).toBe('');
  words.value = () => t('Close {name}', { name: 'a' });
  const error = saying(new Error(), () => t('Close'));
  reason.value = () => error.message;
  expect([words.value, reason.value]).toEqual(['Close a', 'Close']);
  await choose('zh');
  expect([words.value, reason.value]).toEqual(['关闭 a', '关闭']);
  words.value = () => 'as it is';
  expect(words.value).toBe('as it is');
});

describe('preferred', () => {
  it.each([
    ['zh', ['en-GB'], 'zh'],
    ['en', ['zh-CN'], 'en'],
    [undefined, ['zh-CN', 'en'], 'zh'],
    [undefined, ['ZH-Hant-TW'], 'zh'],
    [undefined, ['en-US', 'zh-CN'], 'en'],
    [undefined, ['fr', 'zh', 'en'], 'zh'],
    [undefined, ['fr', 'zhuang'], 'en'],
    [undefined, [], 'en'],
    ['toString', ['zh'], 'zh'],
    [5, ['zh'], 'zh'],
  ] as const)('stored %j, and the browser prefers %j: %s', (before, wanted, expected) => {
    expect(preferred(before, wanted)).toBe(expected);
  });
});

describe('start', () => {
  it('uses the language of the browser, and stores nothing', async () => {
    vi.stubGlobal('navigator', { languages: ['zh-CN'] });
    await start();
    expect([t('Close'), language.value, root.lang, kept]).toEqual(['关闭', 'zh', 'zh-CN', {}]);
  });

  it('uses the language chosen before', async () => {
    vi.stubGlobal('navigator', { languages: ['en'] });
    await choose('zh');
    await choose('en');
    await choose('zh');
    language.value = 'en';
    await start();
    expect(language.value).toBe('zh');
  });
});

describe('t', () => {
  it('is the sentence itself in English', () => {
    expect(t('Close {name}', { name: 'a' })).toBe('Close a');
    expect(root.lang).toBe('en');
  });

  it('is the translation, or the sentence where there is none', async () => {
    await choose('zh');
    expect(t('Close')).toBe('关闭');
    expect(t('Not there')).toBe('Not there');
    expect(t('toString')).toBe('toString');
  });

  it('inserts values verbatim', async () => {
    expect(t('{from} to {to}', { from: '{to} $& $1', to: 2 })).toBe('{to} $& $1 to 2');
    expect(t('{from} to {to}', { from: 0 })).toBe('0 to {to}');
    expect(t('{from} to {to}', { from: 1234, to: '5678' })).toBe('1,234 to 5678');
    expect(t('{{n}} counts')).toBe('{{n}} counts');
    await choose('zh');
    expect(t('{from} to {to}', { from: 1, to: 2 })).toBe('到 2，从 1');
  });
});

describe('parts', () => {
  it('puts values where the language has them', async () => {
    const [from, to] = [{ a: 1 }, { b: 2 }];
    const words = () => parts<object>('{from} to {to}', { from, to });
    expect(words()).toEqual(['', from, ' to ', to, '']);
    await choose('zh');
    expect(words()).toEqual(['到 ', to, '，从 ', from, '']);
  });

  it('leaves a value that is not given', () => {
    expect(parts('Close {name}', { name: 1234 })).toEqual(['Close ', '1,234', '']);
    expect(parts('Close {name}', {})).toEqual(['Close ', '{name}', '']);
  });
});

describe('plural', () => {
  const words = (count: number) => plural(count, '{count} message', '{count} messages');

  it('has two forms in English', () => {
    expect([words(0), words(1), words(1234)]).toEqual(['0 messages', '1 message', '1,234 messages']);
  });

  it('has one in Chinese', async () => {
    await choose('zh');
    expect([words(1), words(2)]).toEqual(['1 条消息', '2 条消息']);
  });
});
