import { type Client, type ClientState, type ConnectOptions, createClient, MqttError } from '../client/index';
import { Base, emit, make, once, type Properties, takeEarly } from './base';
import { createHub, type Hub } from './hub';
import { adopt } from './style';

/** A client's listeners, kept since `off` needs the same functions. */
type Listeners = [
  event: 'connect' | 'reconnect' | 'close' | 'error' | 'end',
  listener: (error?: unknown) => void,
][];

/** A client, and what elements use of it. */
interface Open {
  client: Client;
  hub: Hub;
  /** Whether the page owns it, and ends it. */
  given: boolean;
  ended: boolean;
  listeners: Listeners;
}

/**
 * The connection that elements share: those inside it, those that name its `id` in
 * their `connection`, and, of the first one of a page, those that have neither.
 *
 * It connects when it is in a page and has an address, and ends when it is removed. `mqtt-state`
 * and `mqtt-error` events report its state.
 */
export class MqttConnection extends Base {
  /** @internal */
  static readonly properties: Properties = {
    url: 'text',
    clientId: 'text',
    keepalive: 'number',
    shared: 'flag',
  };

  /** `ws:` or `wss:` address; a relative one is the page's server. */
  declare url: string;
  /** Default: a random one. */
  declare clientId: string;
  /** Seconds between pings. Default 60. */
  declare keepalive: number | undefined;
  /** All tabs of the origin share one connection. */
  declare shared: boolean;

  readonly #users = new Set<() => void>();
  #options: ConnectOptions = {};
  #given: Client | undefined;
  /** The options with which the client was made, or refused. */
  #wanted: unknown[] | undefined;
  #open: Open | undefined;
  #error: MqttError | undefined;
  #told: ClientState = 'disconnected';
  readonly #settle = once(() => this.#update());

  constructor() {
    super();
    adopt(this, make('slot'));
  }

  /** @internal */
  connectedCallback(): void {
    takeEarly(this);
    this.#settle();
    this.#announce();
  }

  /** @internal */
  disconnectedCallback(): void {
    this.#settle();
  }

  /** @internal */
  attributeChangedCallback(name: string, before: string | null, now: string | null): void {
    if (before === now || !this.isConnected) return;
    if (name === 'id') this.#announce();
    else this.#settle();
  }

  /** The other options of `connect`; attributes take precedence. Changed options connect anew. */
  get options(): ConnectOptions {
    return this.#options;
  }
  set options(options: ConnectOptions | undefined) {
    this.#options = options ?? {};
    this.#settle();
  }

  /**
   * The client, for the page's own code. Set it, and the elements use that client, which the page
   * has to end.
   */
  get client(): Client | undefined {
    return this.#open?.client ?? this.#given;
  }
  set client(client: Client | undefined) {
    this.#given = client ?? undefined;
    this.#settle();
  }

  /** The client's state; `disconnected` if there is none. */
  get state(): ClientState {
    return this.#open?.client.state ?? 'disconnected';
  }

  /** Why there is no connection, until there is one. */
  get error(): MqttError | undefined {
    return this.#error;
  }

  /** Whether the client has stopped trying. */
  get ended(): boolean {
    return this.#open?.ended ?? true;
  }

  /** Tries now instead of after the back-off, or with a new client if the last one has ended. */
  reconnect(): void {
    const open = this.#open;
    if (open && !open.ended)
      open.client.reconnect().catch(() => {}); // events report it
    else if (!this.#given) {
      this.#close();
      this.#settle();
    }
  }

  /** @internal The subscriptions of the elements. */
  get hub(): Hub | undefined {
    return this.#open?.hub;
  }

  /** @internal `changed` is called when state, client or place have changed, until what this returns is called. */
  use(changed: () => void): () => void {
    this.#users.add(changed);
    return () => void this.#users.delete(changed);
  }

  /** Notifies elements that look for a connection. */
  #announce(): void {
    this.dispatchEvent(new CustomEvent(announced, { bubbles: true, composed: true }));
  }

  #update(): void {
    const wanted = this.#given
      ? [this.#given]
      : [this.url, this.clientId, this.keepalive, this.shared, ...Object.entries(this.#options).flat()];
    const same =
      wanted.length === this.#wanted?.length &&
      wanted.every((part, index) => Object.is(part, this.#wanted?.[index]));
    if (!this.isConnected || !same) this.#close();
    if (this.isConnected && !this.#wanted) {
      this.#wanted = wanted;
      try {
        const client = this.#given ?? this.#connect();
        if (client) this.#begin(client);
      } catch (error) {
        this.#fail(error);
      }
    }
    this.#tell();
  }

  #connect(): Client | undefined {
    const { url, clientId, keepalive, shared } = this;
    const { url: other, host, hostname, servers } = this.#options;
    // Frameworks may set properties later.
    if (!url && !other && !host && !hostname && !servers) return undefined;
    return createClient({
      ...this.#options,
      ...(url && { url: absolute(url, this.baseURI) }),
      ...(clientId && { clientId }),
      ...(keepalive !== undefined && { keepalive }),
      ...(shared && { shared }),
    });
  }

  #begin(client: Client): void {
    const failed = (error: unknown): void => {
      if (error) this.#fail(error);
      this.#tell();
    };
    const changed = (): void => {
      if (client.connected) this.#error = undefined;
      this.#tell();
    };
    const open: Open = {
      client,
      hub: createHub(client),
      given: client === this.#given,
      ended: false,
      listeners: [
        ['connect', changed],
        ['reconnect', changed],
        ['close', failed],
        ['error', failed],
        [
          'end',
          (error) => {
            open.ended = true;
            failed(error);
          },
        ],
      ],
    };
    for (const [event, listener] of open.listeners) client.on(event, listener);
    this.#open = open;
  }

  #close(): void {
    const open = this.#open;
    this.#wanted = this.#open = this.#error = undefined;
    if (!open) return;
    for (const [event, listener] of open.listeners) open.client.off(event, listener);
    open.hub.dispose();
    if (!open.given) open.client.end().catch(() => {}); // nothing listens any more
  }

  #fail(error: unknown): void {
    const mqttError =
      error instanceof MqttError
        ? error
        : new MqttError('bad-option', `url: ${error}`, { field: 'url', cause: error });
    // A client that ends reports again what closed its connection.
    if (mqttError.message === this.#error?.message) return;
    this.#error = mqttError;
    emit(this, 'mqtt-error', mqttError);
  }

  #tell(): void {
    const { state } = this;
    if (state !== this.#told) {
      this.#told = state;
      emit(this, 'mqtt-state', state);
    }
    for (const changed of this.#users) changed();
  }
}

/** Event: a connection was added, or has another id. */
export const announced = 'mqtt-connection';

function absolute(url: string, base: string): string {
  const address = new URL(url, base);
  // In the form that WebSocket accepts.
  address.protocol = address.protocol.replace(/^http/, 'ws');
  return address.href;
}

/** The connection that an element uses: see `MqttConnection`. */
export function findConnection(element: HTMLElement, id: string): MqttConnection | undefined {
  const isOne = (found: unknown): found is MqttConnection => found instanceof MqttConnection;
  const document = element.ownerDocument;
  const roots = [element.getRootNode() as Document | ShadowRoot, document];
  if (id) return roots.map((root) => root.getElementById?.(id)).find(isOne);
  for (let node: Node | null | undefined = element; node; ) {
    if (isOne(node)) return node;
    node = node.parentNode ?? (node as ShadowRoot).host;
  }
  return roots.map((root) => root.querySelector?.('mqtt-connection')).find(isOne);
}
