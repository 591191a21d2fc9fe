/** Limits of scripts. */

const KiB = 1024;
const MiB = 1024 * KiB;

export const bounds = {
  /** Milliseconds of a call: its own, and by the clock, which includes what else the machine does. */
  call: { own: 50, clock: 500 },
  /** Bytes: for the script, and besides that for the engine itself. */
  memory: { script: 16 * MiB, engine: 6 * MiB },
  /** Bytes. */
  stack: 128 * KiB,
  /** In a second. The publishes of a script can be set. */
  perSecond: { publications: 100, mostPublications: 1000, alerts: 10, lines: 50 },
  /** Characters of the JSON of a value, of a line of the log and of an alert, and bytes of a payload that is published. */
  json: 64 * KiB,
  line: 1000,
  alert: 120,
  payload: 256 * KiB,
  /** Timers of a script that wait, and the shortest, in milliseconds. */
  timers: 100,
  shortest: 10,
  /** Jobs of settled promises in one call. */
  jobs: 10_000,
  /** Messages on their way to the worker, bytes of them, and bytes of one. */
  backlog: { messages: 1000, bytes: 8 * MiB, message: MiB },
  /** PUBLISH packets of a connection's scripts that wait for their acknowledgement. */
  unacknowledged: 200,
  /** Seconds in which the worker must answer, and in which it must have loaded. */
  silence: 3,
  loading: 30,
  /** Scripts in one browser, those on at once, characters of one, and lines of the log. */
  scripts: 100,
  running: 16,
  code: 100_000,
  log: 500,
  /** Milliseconds between two notifications of a connection. */
  notifications: 3000,
} as const;
