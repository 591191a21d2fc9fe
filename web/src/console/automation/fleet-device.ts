import type { QoS } from '../../client';
import { createTrack, type Track } from './fleet-figures';
import type { Plan } from './fleet-plan';
import type { Link } from './fleet-subscriber';

export type State = 'waiting' | 'connecting' | 'connected' | 'refused';

export interface Device {
  readonly number: number;
  /** How far its clock is off. */
  readonly skew: number;
  readonly tracks: Track[];
  /** Its client ID, once it connects. */
  id: string;
  state: State;
  link: Link | undefined;
  /** When it connects, sends or drops out next. */
  connectAt: number;
  sendAt: number;
  dropAt: number;
  /** Failed attempts in a row. */
  attempts: number;
  messages: number;
  unacknowledged: number;
  /** Away by a storm. */
  stormed: boolean;
}

export const levels: readonly QoS[] = [0, 1, 2];

export function createDevices({ devices, skew }: Plan, random: () => number): Device[] {
  return Array.from({ length: devices }, (_, index) => ({
    number: index + 1,
    skew: Math.round((random() * 2 - 1) * skew),
    tracks: levels.map(createTrack),
    id: '',
    state: 'waiting',
    link: undefined,
    connectAt: Number.POSITIVE_INFINITY,
    sendAt: 0,
    dropAt: 0,
    attempts: 0,
    messages: 0,
    unacknowledged: 0,
    stormed: false,
  }));
}
