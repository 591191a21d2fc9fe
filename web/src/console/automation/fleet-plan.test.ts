import { describe, expect, test } from 'vitest';
import { emptyForm, expandFor, type FleetForm, filterOf, formFrom, planOf, reachOf } from './fleet-plan';

const errorsOf = (changes: Partial<FleetForm>, reach: Parameters<typeof planOf>[1] = 'private') =>
  planOf({ ...emptyForm('ab12'), ...changes }, reach).errors;

describe('the form', () => {
  test('is valid initially', () => {
    const { plan, errors } = planOf(emptyForm('ab12'), 'private');
    expect(errors).toEqual({});
    expect(plan).toMatchObject({ devices: 10, qos: 1, interval: 1000, ramp: 20, duration: 60_000 });
    expect(plan).toMatchObject({ dropOuts: Number.POSITIVE_INFINITY, storm: Number.POSITIVE_INFINITY });
    expect(plan.will).toBeUndefined();
    expect(errorsOf({}, 'public broker')).toEqual({});
  });

  test.each([
    ['devices', '0'],
    ['devices', '501'],
    ['devices', '2.5'],
    ['devices', ''],
    ['devices', 'ten'],
    ['rate', '-1'],
    ['rate', '101'],
    ['rate', 'NaN'],
    ['jitter', '101'],
    ['ramp', '0'],
    ['duration', '0'],
    ['duration', '86401'],
    ['skew', '1e99'],
    ['dropOuts', '61'],
    ['away', '-1'],
    ['storm', '4'],
    ['clientId', 'the same'],
    ['clientId', '{{device}} {{devise}}'],
    ['topic', ''],
    ['topic', 'a/+/{{device}}'],
    ['topic', '{{random}}'],
    ['topic', 'a\0b'],
    ['payload', '{{now s}}'],
    ['payload', 'x'.repeat(65_537)],
    ['willTopic', 'gone/#'],
  ] as const)('%s: %j is reported at the field', (field, typed) => {
    expect(Object.keys(errorsOf({ [field]: typed }))).toEqual([field]);
  });

  test('a script replaces the topic and payload templates, and is otherwise ignored', () => {
    const wrong = { topic: 'a/+', payload: 'x'.repeat(65_537) };
    const { plan, errors } = planOf({ ...emptyForm('ab12'), ...wrong, by: 'script' }, 'private');
    expect(errors).toEqual({});
    expect(plan.script?.filter).toBe('fleet/ab12/#');
    expect(plan.script?.code).toContain('fleet/ab12/$');
    expect(planOf({ ...emptyForm('ab12'), filter: 'a/#/b' }, 'private')).toMatchObject({
      errors: {},
      plan: { script: undefined },
    });
    expect(Object.keys(errorsOf({ by: 'script', filter: 'a/#/b' }))).toEqual(['filter']);
    expect(Object.keys(errorsOf({ by: 'script', code: 'x'.repeat(100_001) }))).toEqual(['code']);
  });

  test('the total rate of all devices is bounded', () => {
    expect(errorsOf({ devices: '500', rate: '10' })).toEqual({});
    expect(errorsOf({ devices: '500', rate: '10.1' }).rate).toContain('5,000');
    expect(errorsOf({ devices: '500', rate: '1', payload: 'x'.repeat(20_000) }).rate).toContain('8 MiB');
  });

  test('client IDs may use a random part instead', () => {
    expect(errorsOf({ clientId: 'x-{{ uuid }}' })).toEqual({});
  });

  test('a public broker gets few devices and messages', () => {
    expect(Object.keys(errorsOf({ devices: '11' }, 'public broker'))).toEqual(['devices']);
    expect(Object.keys(errorsOf({ devices: '10', rate: '3' }, 'public broker'))).toEqual(['rate']);
    expect(errorsOf({ devices: '500' }, 'public')).toEqual({});
    for (const filter of ['#', '+/mine', '$share/x/#']) {
      expect(Object.keys(errorsOf({ by: 'script', filter }, 'public broker'))).toEqual(['filter']);
      expect(errorsOf({ by: 'script', filter }, 'public')).toEqual({});
      expect(errorsOf({ filter }, 'public broker')).toEqual({});
    }
  });

  test('invalid stored values are dropped', () => {
    const kept = { devices: 7, rate: '3', topic: 'mine/{{device}}', unknown: 'x', measure: 'yes' };
    expect(formFrom(kept, 'ab12')).toEqual({ ...emptyForm('ab12'), rate: '3', topic: 'mine/{{device}}' });
    expect(formFrom('nonsense', 'ab12')).toEqual(emptyForm('ab12'));
  });
});

describe('reach', () => {
  const listed = ['ws://mqtt.example.org:8080/mqtt'];
  test.each([
    ['ws://127.0.0.1:8080/mqtt', 'private'],
    ['ws://broker:9001', 'private'],
    ['not an address', 'private'],
    ['wss://broker.example.com/mqtt', 'public'],
    ['ws://broker.emqx.io:8083/mqtt', 'public broker'],
    ['wss://BROKER.EMQX.IO.:8084/other', 'public broker'],
    ['ws://broker-cn.emqx.io:8083/mqtt', 'public broker'],
    ['wss://broker.hivemq.com:8884/mqtt', 'public broker'],
    ['ws://test.mosquitto.org:8080', 'public broker'],
    ['wss://mqtt.example.org/elsewhere', 'public broker'],
    ['ws://notbroker.emqx.io.example.com/', 'public'],
  ] as const)('%s is %s', (address, reach) => {
    expect(reachOf(address, listed)).toBe(reach);
  });
});

describe('templates', () => {
  test('have the device’s number, and the placeholders of Publish', () => {
    expect(expandFor('{{device}}/{{ device 4 }}/{{n}}/{{now ms}}', 7, 3, 1000)).toBe('7/0007/3/1000');
    expect(expandFor('{{device 2}}', 123, 1, 0)).toBe('123');
    expect(expandFor('{{now}}', 1, 1, 0)).toBe('1970-01-01T00:00:00.000Z');
    expect(expandFor('{{unknown}} {{device x}}', 1, 1, 0)).toBe('{{unknown}} {{device x}}');
  });

  test('the filter has a wildcard for each varying level', () => {
    expect(filterOf('a/{{device}}/b/x-{{n}}/{{uuid}}/{{random 1 9}}')).toBe('a/+/b/+/+/+');
    expect(filterOf('a/{{other}}/b')).toBe('a/{{other}}/b');
    expect(filterOf('/a//{{now ms}}')).toBe('/a//+');
  });
});
