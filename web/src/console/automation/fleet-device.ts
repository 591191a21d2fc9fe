import type { QoS } from '../../client';
import { createTrack } from './fleet-figures';
import type { Plan } from './fleet-plan';
import type { Link } from './fleet-subscriber';

export type State = 'waiting' | 'connecting' | 'connected' | 'refused';

export const levels: readonly QoS[] = [0, 1, 2];

export type Device = ReturnType<typeof createDevice>;

/** `skew`: how far its clock is off. */
const createDevice = (number: number, skew: number) => ({
  number,
  skew,
  tracks: levels.map(createTrack),
  /** Its client ID, once it connects. */
  id: '',
  state: 'waiting' as State,
  link: undefined as Link | undefined,
  /** When it connects, sends or drops out next. */
  connectAt: Number.POSITIVE_INFINITY,
  sendAt: 0,
  dropAt: 0,
  /** Failed attempts in a row. */
  attempts: 0,
  messages: 0,
  unacknowledged: 0,
  /** Away by a storm. */
  stormed: false,
});

export const createDevices = ({ devices, skew }: Plan, random: () => number): Device[] =>
  Array.from({ length: devices }, (_, index) =>
    createDevice(index + 1, Math.round((random() * 2 - 1) * skew)),
  );
