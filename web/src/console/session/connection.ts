/** The connection: its broker, its state, and what went wrong. */

import { batch, computed, signal } from '@preact/signals';
import type { Client, ConnackInfo, ConnectOptions } from '../../client';
import { isMixedContent, resolveAddress } from '../../client/checks/url';
import { atField, type Failure, formatReasonCode, toFailure } from '../core/failure';
import { createFieldErrors, saying, t } from '../core/i18n/i18n';
import { visible, wordsOf } from '../core/text';
import { addressOf, type Config, defaultBroker, fallbackFor, leavesPrivate, nameOf } from './config';
import { formField } from './message';
import { createNotices, type Notice, type NoticeDependencies } from './notices';
import type { Status } from './phase';
import { optionsOf, plainSettings, type Settings } from './settings';

/**
 * The default broker gets five seconds from when the page opens, less what the fallback needs; they
 * include loading the page and the program.
 */
const automaticTimeout = 4000;
/** The minimum for the broker, however slowly the page loaded. */
const leastTimeout = 1500;
const manualTimeout = 15_000;
const byHand = () => manualTimeout;

export interface Dependencies extends NoticeDependencies {
  connect(options: ConnectOptions): Promise<Client>;
  /** Starts to load the client's program; resolves when it runs, and rejects when it can't be loaded. */
  program(shared: boolean): Promise<void>;
  /** Whole milliseconds since the page was opened. */
  age(): number;
  /** Called with a new client before it counts as connected, to add listeners and subscribe. */
  onClient(client: Client): Promise<void>;
  /** The client in use has ended or is about to. */
  onGone(): void;
}

export const custom = '';

export type Connection = ReturnType<typeof createConnection>;

/** Connections may share their list of brokers, `config`. */
export function createConnection(deps: Dependencies, config = signal<Config>({ version: '', brokers: [] })) {
  const notices = createNotices(deps);
  const { report, tell, dismiss } = notices;
  const status = signal<Status>({ phase: 'disconnected', url: '' });
  const client = signal<Client | undefined>(undefined);
  const settings = signal<Settings>(plainSettings);
  /** The CONNACK of the connection. */
  const granted = signal<ConnackInfo | undefined>(undefined);
  const fieldErrors = createFieldErrors();
  /** What the connection was made with. */
  const used = signal(settings.value);

  // One attempt at a time. What an earlier one still reports is ignored.
  let current = new AbortController();
  // A connection was requested, and has not been ended by the user.
  let asked = false;

  function edit(changes: Partial<Settings>): void {
    batch(() => {
      settings.value = { ...settings.value, ...changes };
      fieldErrors.drop((name) => name.replace(/\..*/, '') in changes);
    });
  }

  /** The selected broker's name, or `custom` if the address is not one of the list. */
  function selected(url = settings.value.url): string {
    return config.value.brokers.find((broker) => addressOf(broker, deps.page) === url)?.name ?? custom;
  }

  function select(name: string): void {
    const broker = config.value.brokers.find((candidate) => candidate.name === name);
    edit({ url: broker ? addressOf(broker, deps.page) : '' });
  }

  /**
   * Whether the form would make a different connection than the current one. Secrets are read only
   * if needed.
   */
  const edited = computed((): boolean => {
    const { phase, url } = status.value;
    if (phase === 'disconnected') return false;
    const [now, then] = [settings.value, used.value].map((one) =>
      JSON.stringify({ ...one, url, secrets: 0 }),
    );
    return now !== then || settings.value.url !== url;
  });

  function abandon(again: boolean): AbortController {
    current.abort();
    current = new AbortController();
    asked = again;
    const old = client.value;
    if (old) {
      deps.onGone();
      client.value = undefined;
      granted.value = undefined;
      // It may have ended already.
      old.end().catch(() => {});
    }
    return current;
  }

  function follow(active: Client, url: string, mine: AbortController): void {
    const listening = () => !mine.signal.aborted;
    let farewell: Failure | undefined;

    active.on('connect', () => {
      farewell = undefined;
      notices.forget();
      // The first connection counts once `onClient` is done with it.
      if (!listening() || status.value.phase !== 'reconnecting') return;
      batch(() => {
        status.value = { phase: 'connected', url };
        granted.value = active.connack;
        dismiss();
      });
    });
    active.on('disconnect', ({ reasonCode, reasonString }) => {
      const told = { code: 'disconnected' as const, message: '', reasonCode };
      const words = () => t('The broker sent DISCONNECT {code}', { code: formatReasonCode(reasonCode) });
      farewell = saying({ ...told, ...(reasonString && { reasonString }) }, words);
    });
    active.on('close', (error) => {
      if (!listening()) return;
      status.value = { phase: 'reconnecting', url };
      const failure = farewell ?? (error && toFailure(error));
      if (!failure) return;
      const lost = (title: string) => t('The connection was lost. {title}', { title });
      report(failure, url, mine, (why) => ({ ...why, tone: 'warning', title: lost(why.title) }), true);
    });
    active.on('reconnect', ({ attempt, delay }) => {
      if (listening()) status.value = { phase: 'reconnecting', url, attempt, nextAt: Date.now() + delay };
    });
    active.on('end', (error) => {
      if (!listening()) return;
      batch(() => {
        deps.onGone();
        client.value = undefined;
        granted.value = undefined;
        status.value = { phase: 'disconnected', url };
      });
      const failure = error ? toFailure(error) : farewell;
      if (failure) report(failure, url, mine, (why) => ({ ...why, tone: 'error' }));
    });
  }

  /**
   * The failure, or undefined when it is connected or no longer wanted; after a failure the caller
   * decides about the status. The client's own timeout
   * includes loading its program; that of `limit` begins when the program is loaded, since the
   * broker is not to blame for that.
   */
  async function attempt(
    url: string,
    limit: () => number,
    mine: AbortController,
    insteadOf?: string,
  ): Promise<Failure | undefined> {
    notices.loadExplainer();
    // What is typed for another address is for that broker alone.
    const given = settings.value.url === url ? settings.value : plainSettings;
    batch(() => {
      status.value = { phase: 'connecting', url, loading: true, ...(insteadOf && { insteadOf }) };
      used.value = given;
      fieldErrors.set({});
    });
    notices.forget();
    const late = new AbortController();
    let timeout = limit();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    const loaded = deps.program(given.shared).then(
      () => {
        if (over || mine.signal.aborted) return true;
        status.value = { phase: 'connecting', url };
        timeout = limit();
        timer = setTimeout(() => late.abort(), timeout);
        return true;
      },
      () => false,
    );
    let active: Client;
    try {
      active = await deps.connect({
        ...optionsOf(given),
        url,
        connectTimeout: Math.max(timeout, manualTimeout),
        signal: AbortSignal.any([mine.signal, late.signal]),
      });
    } catch (error) {
      if (mine.signal.aborted) return undefined;
      if (late.signal.aborted) {
        const seconds = (timeout / 1000).toFixed(1);
        const failure = { code: 'timeout' as const, message: '' };
        return saying(failure, () => t('no answer within {seconds} s', { seconds }));
      }
      const failure = toFailure(error);
      const { code, message } = failure;
      return code !== 'crashed' || (await loaded) ? failure : { code, message, unloaded: true };
    } finally {
      over = true;
      clearTimeout(timer);
    }
    if (mine.signal.aborted) {
      active.end(true).catch(() => {});
      return undefined;
    }
    client.value = active;
    follow(active, url, mine);
    await deps.onClient(active);
    if (!mine.signal.aborted && active.connected) {
      batch(() => {
        status.value = { phase: 'connected', url };
        granted.value = active.connack;
      });
    }
    return undefined;
  }

  /** Connects to the address in the form. */
  async function connect(): Promise<void> {
    const { url } = settings.value;
    if (client.value) {
      try {
        resolveAddress({ url });
      } catch (error) {
        // A connection is not ended for an invalid address.
        fieldErrors.set({ url: () => atField(toFailure(error)) });
        return;
      }
    }
    const mine = abandon(true);
    dismiss();
    const failure = await attempt(url, byHand, mine);
    if (!failure) return;
    status.value = { phase: 'disconnected', url };
    // No broker is to blame, so none is probed, and there is no fallback.
    if (failure.unloaded)
      return report(failure, url, mine, (why) => ({ ...why, tone: 'error', again: connect }));
    const field = formField(failure.field);
    if (failure.code === 'bad-option' && (field in settings.value || /^(will|login|secrets)\./.test(field))) {
      fieldErrors.set({ [field]: () => atField(failure) });
      // The explanation is longer than fits at the field.
      if (!URL.canParse(url) || !isMixedContent(new URL(url), new URL(deps.page))) return;
    }
    report(failure, url, mine, (why) => ({ ...why, tone: 'error' }));
  }

  /** Makes the next attempt now. Events report the outcome. */
  function tryNow(): void {
    const { phase, url, attempt } = status.value;
    if (phase !== 'reconnecting') return;
    status.value = { phase, url, ...(attempt !== undefined && { attempt }) };
    client.value?.reconnect().catch(() => {});
  }

  function disconnect(): void {
    const { url } = status.value;
    abandon(false);
    batch(() => {
      status.value = { phase: 'disconnected', url };
      dismiss();
    });
  }

  /**
   * Connects to the default broker, or to the embedded one if that can't be reached; `byItself` where
   * nobody asked for the default one.
   */
  async function connectByDefault(limit = () => automaticTimeout, byItself = false): Promise<void> {
    const broker = defaultBroker(config.value);
    if (!broker) return;
    const mine = abandon(true);
    const url = addressOf(broker, deps.page);
    batch(() => {
      dismiss();
      if (settings.value.url === '' || selected() !== custom) edit({ url });
    });

    const fallback = fallbackFor(broker, config.value, deps.page);
    // Without a fallback there is no hurry.
    const failure = await attempt(url, fallback ? limit : byHand, mine);
    if (!failure) return;
    if (failure.unloaded || !fallback) {
      status.value = { phase: 'disconnected', url };
      const again = failure.unloaded && { again: () => connectByDefault() };
      return report(failure, url, mine, (why) => ({ ...why, tone: 'error', ...again }));
    }

    const instead = addressOf(fallback, deps.page);
    if (settings.value.url === url) edit({ url: instead });
    report(failure, url, mine, (why) => ({
      ...why,
      tone: 'warning',
      title: t('{title}. Using “{broker}” instead', { title: why.title, broker: nameOf(fallback) }),
      retry: broker,
    }));
    const second = await attempt(instead, byHand, mine, byItself ? url : undefined);
    if (!second) return;
    status.value = { phase: 'disconnected', url: instead };
    report(second, instead, mine, (why) => ({
      ...why,
      tone: 'error',
      title: t('Neither “{first}” nor “{second}” can be reached. {title}', {
        first: nameOf(broker),
        second: nameOf(fallback),
        title: why.title,
      }),
      retry: broker,
    }));
  }

  /** Connects to the address of a link, at once if this page's host lists it. */
  async function connectByLink(url: string): Promise<void> {
    if (selected() !== custom) return connect();
    batch(() => {
      status.value = { phase: 'disconnected', url: '' };
      tell(() => ({
        tone: 'warning',
        title: t('The link that opened this page asks for {url}, which this server does not list', {
          url: visible(url),
        }),
        advice: t('Press Connect if you trust where the link came from.'),
      }));
    });
  }

  /** Returns whether the list of brokers could be read. */
  async function readBrokers(load: () => Promise<Config>): Promise<boolean> {
    const mine = current;
    try {
      config.value = await load();
      return true;
    } catch (error) {
      const detail = `config.json: ${wordsOf(error)}`;
      const words = (): Notice => ({
        tone: 'error',
        title: t('This page’s list of brokers could not be read'),
        advice: t('Type a broker’s address and press Connect, or reload the page.'),
        detail,
      });
      notices.show(words, mine);
      return false;
    }
  }

  /**
   * The page's start. `load` brings the configuration, and a link may ask for an
   * address. After a reload `before` is the one in use until then.
   */
  async function start(load: () => Promise<Config>, link?: string, before?: string): Promise<void> {
    const mine = current;
    asked = !link;
    status.value = { phase: 'connecting', url: '' };
    if (link) edit({ url: link });
    // Needed for any broker. A failure is reported where it is awaited.
    deps.program(settings.value.shared).catch(() => {});
    const read = await readBrokers(load);
    if (mine.signal.aborted) return;
    if (!read) {
      status.value = { phase: 'disconnected', url: '' };
      return;
    }
    if (link) return connectByLink(link);
    const broker = defaultBroker(config.value);
    if (before && broker && leavesPrivate(before, addressOf(broker, deps.page))) return connect();
    await connectByDefault(() => Math.max(leastTimeout, automaticTimeout - deps.age()), true);
    if (status.value.url === '') status.value = { phase: 'disconnected', url: '' };
  }

  return {
    config,
    status,
    client,
    notice: notices.notice,
    granted,
    settings,
    fieldErrors,
    edit,
    used,
    edited,
    selected,
    select,
    /** Whether it is to be connected again when the page is reloaded. */
    wanted: () => asked,
    connect,
    tryNow,
    disconnect,
    connectByDefault,
    start,
    readBrokers,
    tell,
    dismiss,
  };
}
