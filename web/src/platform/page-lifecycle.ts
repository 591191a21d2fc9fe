/** Events of the page that matter for connections. */

/** `window` and `document`, or a test's substitutes. */
export interface Page {
  window: EventTarget;
  document: EventTarget & { readonly visibilityState: DocumentVisibilityState };
}

export interface PageListener {
  /** The browser says that the network is gone. */
  offline(): void;
  /** The network or the user is back: a good time to check the connection. */
  wake(): void;
  /** The page stops running: for ever, or perhaps. */
  suspend(forGood: boolean): void;
  resume(): void;
}

/** Undefined in Node and in workers. */
export function thisPage(): Page | undefined {
  if (typeof window === 'undefined' || typeof document === 'undefined') return undefined;
  return { window, document };
}

/**
 * Reports events of the page until the returned function is called. `suspend` and `resume`
 * alternate, unless `suspend` for good follows, and there is no `wake` between them.
 *
 * Browsers keep no page with an open connection in the back/forward cache, and a frozen page
 * answers no broker. So the page closes its connection before, and opens another one after. In
 * Chromium the broker gets DISCONNECT. But when a tab is closed its worker is ended, too, often
 * before DISCONNECT is sent: then the broker sees the connection break, and publishes the will.
 */
export function followPage({ window, document }: Page, listener: PageListener): () => void {
  let suspended = false;
  const wake = (): void => {
    if (!suspended) listener.wake();
  };
  const suspend = (forGood: boolean): void => {
    if (suspended && !forGood) return;
    suspended = true;
    listener.suspend(forGood);
  };
  const resume = (): void => {
    if (!suspended) return;
    suspended = false;
    listener.resume();
  };
  const offline = (): void => {
    listener.offline();
    wake();
  };
  const visible = (): void => {
    if (document.visibilityState === 'visible') wake();
  };
  const hidden = (event: Event): void => suspend(!(event as PageTransitionEvent).persisted);
  const shown = (event: Event): void => {
    if ((event as PageTransitionEvent).persisted) resume();
  };
  const listeners: [target: EventTarget, type: string, listener: (event: Event) => void][] = [
    [window, 'offline', offline],
    [window, 'online', wake],
    [window, 'pagehide', hidden],
    [window, 'pageshow', shown],
    [document, 'visibilitychange', visible],
    [document, 'freeze', () => suspend(false)],
    [document, 'resume', resume],
  ];
  const each = (method: 'addEventListener' | 'removeEventListener'): void => {
    for (const [target, type, heard] of listeners) target[method](type, heard);
  };
  each('addEventListener');
  return () => each('removeEventListener');
}
