/** WebKitGTK, the engine of Safari, by its WebDriver: Playwright drives only a WebKit of its own build. */

import { existsSync } from 'node:fs';
import { freePort, start } from './process';

/** Whether the system has it. */
export const hasWebKit = existsSync('/usr/bin/WebKitWebDriver') && existsSync('/usr/bin/Xvfb');

export interface WebKit {
  goto(url: string): Promise<void>;
  reload(): Promise<void>;
  back(): Promise<void>;
  /** Runs the function in the page; argument and result are passed as JSON. Rejects if it throws. */
  evaluate<A, R>(run: (argument: A) => R | Promise<R>, argument: A): Promise<R>;
  /** Clicks the button, tab or row with that name. */
  click(name: string): Promise<void>;
  /** Types into the field that this CSS selector finds. */
  type(field: string, text: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startWebKit(): Promise<WebKit> {
  const display = start('Xvfb', ['-displayfd', '1', '-screen', '0', '1920x1200x24', '-nolisten', 'tcp']);
  const [, number] = await display.printed(/^(\d+)$/m);
  const port = await freePort();
  // Without a locale its language is "C", which is none.
  const language = { LANG: 'en_US.UTF-8', LC_ALL: 'en_US.UTF-8' };
  const driver = start('WebKitWebDriver', [`--port=${port}`], { DISPLAY: `:${number}`, ...language });

  async function call<R>(method: string, path: string, body?: object): Promise<R> {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      ...(body && { body: JSON.stringify(body) }),
    });
    const { value } = (await answer.json()) as { value: R & { error?: string; message?: string } };
    if (value?.error) throw new Error(`${method} ${path}: ${value.error}: ${value.message}`);
    return value;
  }

  for (;;) {
    const ready = await call<{ ready: boolean }>('GET', '/status').catch(() => undefined);
    if (ready) break;
    if (driver.process.exitCode !== null) throw new Error(driver.output());
  }
  const { sessionId } = await call<{ sessionId: string }>('POST', '/session', {
    capabilities: { alwaysMatch: { timeouts: { script: 50_000, pageLoad: 50_000 } } },
  });
  const session = <R = void>(method: string, path: string, body?: object): Promise<R> =>
    call(method, `/session/${sessionId}${path}`, body);
  await session('POST', '/window/rect', { x: 0, y: 0, width: 1366, height: 700 });

  const evaluate = async <A, R>(run: (argument: A) => R | Promise<R>, argument: A): Promise<R> => {
    const script = `const done = arguments[1];
      (async () => ({ value: await (${run})(arguments[0]) }))().then(done, (error) => done({ error: String(error) }));`;
    const answer = await session<{ value: R } | { error: string }>('POST', '/execute/async', {
      script,
      args: [argument ?? null],
    });
    if ('error' in answer) throw new Error(`in the page: ${answer.error}`);
    return answer.value;
  };
  const find = (using: string, value: string) =>
    session<Record<string, string>>('POST', '/element', { using, value }).then(
      (found) => Object.values(found)[0],
    );

  return {
    goto: (url) => session('POST', '/url', { url }),
    reload: () => session('POST', '/refresh', {}),
    back: () => session('POST', '/back', {}),
    evaluate,
    async click(name) {
      const named = `//button[normalize-space() = '${name}' or @aria-label = '${name}']`;
      await session('POST', `/element/${await find('xpath', named)}/click`, {});
    },
    async type(field, text) {
      await session('POST', `/element/${await find('css selector', field)}/value`, { text });
    },
    async stop() {
      await session('DELETE', '');
      await driver.stop();
      await display.stop();
    },
  };
}
