/** For tests. */

/** A platform's WebSocket that does what the test says, as strict as a browser's. */
export class ScriptedSocket extends EventTarget {
  static all: ScriptedSocket[] = [];
  readonly url: string;
  readonly protocol = 'mqtt';
  readonly extensions = '';
  binaryType = 'blob';
  readyState = 0;
  bufferedAmount = 0;
  sent: unknown[] = [];
  closes: [code: number | undefined, reason: string][] = [];

  constructor(
    url: string,
    readonly protocols: string | string[],
  ) {
    super();
    this.url = url;
    ScriptedSocket.all.push(this);
  }

  send(data: unknown): void {
    this.sent.push(data);
  }

  close(code?: number, reason = ''): void {
    if (code !== undefined && code !== 1000 && (code < 3000 || code > 4999))
      throw new Error('InvalidAccessError');
    if (new TextEncoder().encode(reason).length > 123) throw new Error('SyntaxError');
    this.closes.push([code, reason]);
  }

  open(): void {
    this.readyState = 1;
    this.dispatchEvent(new Event('open'));
  }

  receive(data: string | number[]): void {
    const frame = typeof data === 'string' ? data : new Uint8Array(data).buffer;
    this.dispatchEvent(Object.assign(new Event('message'), { data: frame }));
  }

  fail(message?: string): void {
    this.dispatchEvent(Object.assign(new Event('error'), message && { message }));
  }

  end(code: number, reason = '', wasClean = true): void {
    this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event('close'), { code, reason, wasClean }));
  }
}
