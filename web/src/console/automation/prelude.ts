/**
 * Runs in the sandbox before the script, and provides its API. It saves the built-ins that it needs
 * first: a script may change every prototype, and then harms only itself. Texts cross as JSON,
 * since a NUL would end them.
 */
export const prelude = `(host, most, left, alone) => {
  'use strict';
  const { parse, stringify } = JSON;
  const { isView } = ArrayBuffer;
  const { ownKeys, apply, getPrototypeOf } = Reflect;
  const { isFinite } = Number;
  const [Plain, List] = [Object.prototype, Array.prototype];
  const { slice } = ArrayBuffer.prototype;
  const [Bytes, Buffer, View, Failure, text, number, { from }] =
    [Uint8Array, ArrayBuffer, DataView, Error, String, Number, Array];
  const timers = { __proto__: null };
  const devices = { __proto__: null };
  let ids = 0;
  delete globalThis.performance;
  // It would get access to the functions of this program.
  Reflect.defineProperty(Error, 'prepareStackTrace', { value: undefined });

  function bytes(value) {
    if (isView(value)) return apply(slice, value.buffer, [value.byteOffset, value.byteOffset + value.byteLength]);
    return value instanceof Buffer ? value : undefined;
  }
  const plain = (key, value) => (isView(value) && !(value instanceof View) ? from(value) : value);
  function words(value) {
    if (typeof value === 'string') return value;
    if (value instanceof Failure) return text(value);
    try {
      return stringify(value, plain) ?? text(value);
    } catch {
      return text(value);
    }
  }

  // A payload as bytes or as text.
  function content(by, topic, payload) {
    if (typeof topic !== 'string') throw new TypeError(by + ': the topic must be a string');
    const body = bytes(payload);
    const given = body ? undefined : typeof payload === 'string' ? payload : stringify(payload, plain);
    if (!body && given === undefined) throw new TypeError(by + ': the payload is nothing that JSON can hold');
    return { body, given };
  }
  function publish(topic, payload = '', options = {}) {
    const { qos, retain, properties = {} } = options ?? {};
    const { correlationData, ...rest } = properties;
    const { body, given } = content('publish', topic, payload);
    const data = bytes(correlationData);
    const options_ = { qos, retain, properties: rest };
    return host('publish', stringify([topic, given, options_, data ? undefined : correlationData]), body, data);
  }
  function reply(message, payload, options = {}) {
    const { responseTopic, correlationData } = message.properties;
    if (responseTopic === undefined) throw new Failure('reply: the message has no response topic');
    const properties = { ...options.properties, correlationData };
    return publish(responseTopic, payload, { ...options, properties });
  }
  function log(...values) {
    let line = '';
    for (let at = 0; at < values.length; at++) line += (at ? ' ' : '') + words(values[at]);
    host('log', stringify(line));
  }
  function start(call, milliseconds, again, values) {
    if (typeof call !== 'function') throw new TypeError('a timer needs a function');
    const id = ++ids;
    host('timer', stringify([id, number(milliseconds) || 0, again]));
    timers[id] = { call, again, values };
    return id;
  }
  function stop(id) {
    if (!timers[id]) return;
    delete timers[id];
    host('clear', stringify(number(id)));
  }
  function begun() {
    try {
      return parse(left);
    } catch {
      return {};
    }
  }
  // Whether JSON preserves the value.
  function lasts(value) {
    if (typeof value !== 'object') return typeof value === 'number' ? isFinite(value) : typeof value !== 'function';
    const type = value && getPrototypeOf(value);
    return type === null || type === Plain || type === List;
  }
  const api = {
    publish,
    reply,
    log,
    alert: (value) => host('alert', stringify(words(value))),
    setTimeout: (call, milliseconds, ...values) => start(call, milliseconds, false, values),
    setInterval: (call, milliseconds, ...values) => start(call, milliseconds, true, values),
    clearTimeout: stop,
    clearInterval: stop,
    console: { log, info: log, warn: log, error: log, debug: log },
    state: begun(),
  };
  if (!alone) for (const name of ownKeys(api)) globalThis[name] = api[name];

  return {
    deliver(onMessage, head, payload, correlation) {
      const message = parse(head);
      message.payload = new Bytes(payload);
      message.text = (first = 0, end = payload.byteLength) =>
        parse(host('text', 'null', apply(slice, payload, [first, end])));
      message.json = () => parse(message.text());
      if (correlation !== undefined) message.properties.correlationData = new Bytes(correlation);
      return onMessage(message);
    },
    message(call, about) {
      const { number, id, n, now } = parse(about);
      const device = (devices[number] ??= { number });
      device.id = id;
      device.n = n;
      device.now = now;
      const { topic, payload } = call(device) ?? {};
      if (payload === undefined) throw new TypeError('message(device) must return { topic, payload }');
      const { body, given } = content('message(device)', topic, payload);
      host('message', stringify([topic, given]), body);
    },
    json(value) {
      const json = stringify(value, plain);
      if (json !== undefined && json.length > most)
        throw new Failure('the value is longer than ' + most + ' characters of JSON');
      return json;
    },
    state() {
      let size = 0;
      return stringify(globalThis.state, function (key) {
        const value = this[key];
        size += 16 + key.length + (typeof value === 'string' ? value.length : 0);
        if (size > most || !lasts(value)) throw new Failure('state');
        return value;
      });
    },
    fire(id) {
      const { call, again, values } = timers[id];
      if (!again) delete timers[id];
      return call(...values);
    },
    tell: (thrown) =>
      stringify(thrown instanceof Failure ? [text(thrown), text(thrown.stack)] : ['thrown: ' + words(thrown), '']),
  };
}`;
