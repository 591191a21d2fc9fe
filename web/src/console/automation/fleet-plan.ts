/** The plan of a fleet of simulated devices: as a form, and as it is run. */

import type { QoS } from '../../client';
import { topicName } from '../../client/checks/topics';
import { atField, mistakeIn, toFailure } from '../core/failure';
import { t } from '../core/i18n/i18n';
import { inShapeOf } from '../core/storage';
import { isPrivateHost } from '../session/config';
import { expand, unknownPlaces } from '../session/template';
import { bounds as scriptBounds } from './bounds';

/** Numbers are as typed. `tag` distinguishes two pages with the same plan. */
export const emptyForm = (tag: string) => ({
  devices: '10',
  clientId: `fleet-${tag}-{{device}}`,
  topic: `fleet/${tag}/{{device}}/temperature`,
  payload: '{"value": {{random 18 25 1}}, "at": "{{now}}"}',
  /** What makes its messages: `script`, or otherwise the templates of topic and payload. */
  by: 'template',
  /** Selects the topics that the script may publish to. */
  filter: `fleet/${tag}/#`,
  code: `// Properties that are set on a device are still there at its next message.
function message(device) {
  device.value = (device.value ?? 20) + Math.random() - 0.5;
  return {
    topic: \`fleet/${tag}/\${device.number}/temperature\`,
    payload: { value: device.value, at: new Date(device.now), number: device.n },
  };
}`,
  /** `mixed`: 0, 1 and 2 in turn. */
  qos: '1',
  /** Messages a second of one device. */
  rate: '1',
  /** Percent of the time between two messages, either way. */
  jitter: '10',
  /** Devices that connect in a second at the start. */
  ramp: '50',
  /** Seconds; empty: until it is stopped. */
  duration: '60',
  /** Seconds that a device's clock may be off, either way. */
  skew: '0',
  /** Of one device in a minute. */
  dropOuts: '0',
  /** Seconds that a device is away after a drop-out. */
  away: '5',
  /** Seconds from one reconnect storm to the next; 0: none. */
  storm: '0',
  willTopic: '',
  willPayload: 'gone',
  willQos: '0',
  /** Whether a subscriber of the fleet's own measures round trip and loss. */
  measure: true,
});

export type FleetForm = ReturnType<typeof emptyForm>;

/** A form that was kept, with defaults for what is not valid. */
export const formFrom = (kept: unknown, tag: string): FleetForm => inShapeOf(emptyForm(tag), kept);

export type FleetScript = Pick<FleetForm, 'filter' | 'code'>;

/** Times in milliseconds. */
export interface Plan {
  devices: number;
  clientId: string;
  topic: string;
  payload: string;
  /** In place of both. */
  script: FleetScript | undefined;
  qos: QoS | 'mixed';
  /** Between two messages of a device; infinite if it sends none. */
  interval: number;
  /** From 0 to 1. */
  jitter: number;
  /** Between two devices that connect. */
  ramp: number;
  duration: number;
  skew: number;
  /** On average between two drop-outs of a device. */
  dropOuts: number;
  away: number;
  /** Between two storms. */
  storm: number;
  will: { topic: string; payload: string; qos: QoS } | undefined;
  measure: boolean;
}

/** Messages and bytes of payload a second that all devices together may send, and bytes of one payload. */
export const most = { rate: 5000, throughput: 8 << 20, payload: 64 << 10 } as const;

/** At a public broker. */
export const mostInPublic = { devices: 10, rate: 20 } as const;

interface Bounds {
  least: number;
  most: number;
  whole?: boolean;
  /** The value of an empty field. */
  empty?: number;
}

const bounds: Partial<Record<keyof FleetForm, Bounds>> = {
  devices: { least: 1, most: 500, whole: true },
  rate: { least: 0, most: 100 },
  jitter: { least: 0, most: 100 },
  ramp: { least: 1, most: 500 },
  duration: { least: 1, most: 86_400, empty: Number.POSITIVE_INFINITY },
  skew: { least: 0, most: 31_536_000 },
  dropOuts: { least: 0, most: 60 },
  away: { least: 0, most: 3600 },
  storm: { least: 0, most: 3600 },
};

/** Public brokers besides those in the page's list. */
const publicBrokers =
  /^(broker(-cn)?\.emqx\.io|.*\.hivemq\.com|.*\.mqttdashboard\.com|(test\.)?mosquitto\.org|.*\.eclipseprojects\.io|.*\.emqx\.com\.cn)$/;

export type Reach = 'private' | 'public' | 'public broker';

/**
 * Whether the broker at the address is private, on the internet or public. `listed`: addresses of
 * the brokers that come with the page.
 */
export function reachOf(address: string, listed: readonly string[] = []): Reach {
  if (!URL.canParse(address)) return 'private'; // nothing is dialled
  const hostOf = (url: string): string =>
    URL.canParse(url) ? new URL(url).hostname.toLowerCase().replace(/\.$/, '') : '';
  const host = hostOf(address);
  if (isPrivateHost(host)) return 'private';
  return publicBrokers.test(host) || listed.some((url) => hostOf(url) === host) ? 'public broker' : 'public';
}

/** `{{device}}` is the device's number, and `{{device 3}}` the same with three digits. */
const devicePlace = /\{\{\s*device(?:\s+([1-9]))?\s*\}\}/g;

const withDevice = (template: string, device: number): string =>
  template.replace(devicePlace, (_, digits: string | undefined) =>
    String(device).padStart(Number(digits ?? 1), '0'),
  );

/** Expands a template as Publish does, and the device's number. `now` is in milliseconds since 1970. */
export const expandFor = (template: string, device: number, n: number, now: number): string =>
  expand(withDevice(template, device), n, now);

/** A filter that matches all topics that the template can become. */
export const filterOf = (template: string): string =>
  template
    .split('/')
    .map((level) => (/\{\{[^{}]{1,80}\}\}/.test(level) && expandFor(level, 1, 1, 0) !== level ? '+' : level))
    .join('/');

const isDifferent = (template: string): boolean => withDevice(template, 1) !== withDevice(template, 2);

export type PlanErrors = Partial<Record<keyof FleetForm, string>>;

/** `errors` has a message for each invalid field; without any the plan can be run. */
export function planOf(form: FleetForm, reach: Reach): { plan: Plan; errors: PlanErrors } {
  const errors: PlanErrors = {};
  const number = (field: keyof FleetForm): number => {
    const typed = String(form[field]).trim();
    const { least, most, whole, empty } = bounds[field] as Bounds;
    if (typed === '' && empty !== undefined) return empty;
    const value = typed === '' ? Number.NaN : Number(typed);
    if (!(value >= least && value <= most) || (whole && !Number.isInteger(value))) {
      errors[field] = whole
        ? t('A whole number from {least} to {most}', { least, most })
        : t('A number from {least} to {most}', { least, most });
    }
    return value;
  };
  const every = (count: number, unit: number): number =>
    count === 0 ? Number.POSITIVE_INFINITY : unit / count;
  const template = (field: 'clientId' | 'topic' | 'payload' | 'willTopic' | 'willPayload'): string => {
    const unknown = unknownPlaces(withDevice(form[field], 1));
    if (unknown.length > 0)
      errors[field] = t('Not known: {places}', { places: unknown.slice(0, 5).join(', ') });
    return form[field];
  };
  const topic = (field: 'topic' | 'willTopic'): string => {
    const given = template(field);
    try {
      topicName(expandFor(given, 1, 1, 0), field);
    } catch (error) {
      errors[field] ??= atField(toFailure(error));
    }
    return given;
  };

  /** Plans the messages of a script; the form's templates are ignored. */
  function script(): Pick<Plan, 'topic' | 'payload' | 'script'> {
    const { code, filter } = form;
    const mistake = mistakeIn(filter);
    if (mistake) errors.filter = mistake;
    if (code.length > scriptBounds.code)
      errors.code = t('At most {count} characters', { count: scriptBounds.code });
    return { topic: '', payload: '', script: { code, filter } };
  }

  const isScript = form.by === 'script';
  const [devices, rate, dropOuts, storm] = [
    number('devices'),
    number('rate'),
    number('dropOuts'),
    number('storm'),
  ];
  const plan: Plan = {
    devices,
    clientId: template('clientId'),
    ...(isScript ? script() : { topic: topic('topic'), payload: template('payload'), script: undefined }),
    qos: form.qos === 'mixed' ? 'mixed' : qosOf(form.qos),
    interval: every(rate, 1000),
    jitter: number('jitter') / 100,
    ramp: 1000 / number('ramp'),
    duration: number('duration') * 1000,
    skew: number('skew') * 1000,
    dropOuts: every(dropOuts, 60_000),
    away: number('away') * 1000,
    storm: storm === 0 ? Number.POSITIVE_INFINITY : storm * 1000,
    will:
      form.willTopic === ''
        ? undefined
        : { topic: topic('willTopic'), payload: template('willPayload'), qos: qosOf(form.willQos) },
    measure: form.measure,
  };

  if (!isDifferent(form.clientId) && !/\{\{\s*uuid\s*\}\}/.test(form.clientId)) {
    errors.clientId ??= t('Devices with the same client ID disconnect each other: write {place} in it', {
      place: '{{device}}',
    });
  }
  // A script's payloads are measured when they are made.
  const size = isScript ? 0 : new TextEncoder().encode(form.payload).length;
  if (size > most.payload) errors.payload ??= t('At most {count} bytes', { count: most.payload });
  if (devices * rate > most.rate || devices * rate * size > most.throughput) {
    errors.rate ??= t(
      'All devices together send too much: at most {count} messages and {size} MiB a second',
      { count: most.rate, size: most.throughput >> 20 },
    );
  }
  if (storm > 0 && storm < 5) errors.storm ??= t('0, or at least {seconds}', { seconds: 5 });
  if (reach === 'public broker') {
    if (isScript && /^(\$share\/[^/]*\/)?[+#]/.test(form.filter)) {
      errors.filter ??= t(
        'At a public broker it must begin with a level of your own: you would get everybody’s messages',
      );
    }
    if (devices > mostInPublic.devices) {
      errors.devices ??= t('At most {count} at a public broker, which others use too', {
        count: mostInPublic.devices,
      });
    }
    if (devices * rate > mostInPublic.rate) {
      errors.rate ??= t('At most {count} messages a second of all devices at a public broker', {
        count: mostInPublic.rate,
      });
    }
  }
  return { plan, errors };
}

function qosOf(typed: string): QoS {
  return typed === '2' ? 2 : typed === '1' ? 1 : 0;
}
