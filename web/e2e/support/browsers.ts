/**
 * Chromium, Firefox and WebKit as system processes, with a profile that survives a kill. Playwright supports
 * none of it: it can't drive a system's Firefox or WebKit, and does not expose the process of a persistent
 * context.
 */

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import config from '../../playwright.config';

/** WebKitGTK, the engine of Safari; it needs a display. */
const webkit = readdirSync('/usr/lib')
  .map((name) => `/usr/lib/${name}/webkit2gtk-4.1/MiniBrowser`)
  .find(existsSync);

export const browserNames = ['chromium', 'firefox', ...(webkit ? (['webkit'] as const) : [])] as const;

export interface Browser {
  /** Opens the address with the profile as the last run left it. */
  start(url: string): void;
  /** Sends SIGKILL to all its processes. Resolves when they are gone. */
  kill(): Promise<void>;
  output(): string;
  /** Kills it and removes the profile. */
  stop(): Promise<void>;
}

/** A browser with a new profile, not yet started. */
export function createBrowser(name: (typeof browserNames)[number]): Browser {
  const profile = mkdtempSync(join(tmpdir(), `${name}-`));
  if (name === 'firefox') writeFileSync(join(profile, 'user.js'), firefoxSettings());
  const [command, args] = commandOf[name](profile);
  let text = '';
  let kill = async () => {};
  return {
    start(url) {
      // A process group of its own, so that a signal reaches all its processes.
      const child = spawn(command, [...args, url], {
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          ...process.env,
          ...(name === 'webkit' && { XDG_DATA_HOME: profile, XDG_CACHE_HOME: profile }),
        },
      });
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
      }
      // Unlike `exit`, `close` waits until all processes have closed the streams.
      const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
      child.once('error', (error) => {
        text += String(error);
      });
      kill = async () => {
        if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
          process.kill(-child.pid, 'SIGKILL');
        }
        await gone;
      };
    },
    kill: () => kill(),
    output: () => text,
    stop: async () => {
      await kill();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

type Command = [command: string, args: string[]];

function chromium(profile: string): Command {
  const { executablePath = 'chromium', args = [] } = config.use?.launchOptions ?? {};
  return [
    executablePath,
    [
      ...args,
      '--headless',
      `--user-data-dir=${profile}`,
      '--no-first-run',
      '--no-default-browser-check',
      '--password-store=basic',
    ],
  ];
}

const commandOf: Record<(typeof browserNames)[number], (profile: string) => Command> = {
  chromium,
  firefox: (profile) => ['firefox-esr', ['--headless', '--no-remote', '--profile', profile]],
  webkit: () => ['xvfb-run', ['-a', String(webkit)]],
};

/** No start pages, no network requests of its own, and no prompts after a crash. */
function firefoxSettings(): string {
  const settings = {
    'app.normandy.enabled': false,
    'app.update.enabled': false,
    'browser.aboutwelcome.enabled': false,
    'browser.safebrowsing.downloads.enabled': false,
    'browser.safebrowsing.malware.enabled': false,
    'browser.safebrowsing.phishing.enabled': false,
    'browser.sessionstore.resume_from_crash': false,
    'browser.shell.checkDefaultBrowser': false,
    'browser.startup.homepage_override.mstone': 'ignore',
    'browser.startup.page': 0,
    'datareporting.policy.dataSubmissionEnabled': false,
    'datareporting.policy.dataSubmissionPolicyBypassNotification': true,
    'extensions.getAddons.cache.enabled': false,
    'extensions.update.enabled': false,
    'network.captive-portal-service.enabled': false,
    'network.connectivity-service.enabled': false,
    'network.dns.disablePrefetch': true,
    'network.prefetch-next': false,
    'services.settings.server': 'data:,',
    'toolkit.startup.max_resumed_crashes': -1,
    'toolkit.telemetry.enabled': false,
    'toolkit.telemetry.unified': false,
    'trailhead.firstrun.didSeeAboutWelcome': true,
  };
  return Object.entries(settings)
    .map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`)
    .join('');
}
