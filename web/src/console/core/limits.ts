/**
 * How much is drawn of foreign data: what a broker, a message or an imported file contains may be
 * of any length, number and depth. Each list that is cut says how much is left; the whole can be
 * copied or saved.
 */

const KiB = 1024;
const MiB = 1024 * KiB;

export const limits = {
  /** Paints of one list in a second. */
  paintsPerSecond: 4,
  /** Rows of one kind: user properties, topic filters or reason codes of a message or packet. */
  properties: 100,
  /** Parts of a packet's line in the timeline: topic filters, reason codes. */
  summary: 10,
  /** Nested levels of arrays and maps: more would be an attack on the reader. */
  depth: 200,
  /** Levels that lines are indented by. */
  indent: 16,

  /** Characters. */
  name: 200,
  topic: 1024,
  text: 1000,
  notice: 600,
  /** Of a key or a text among decoded values. */
  line: 4096,

  /**
   * A row of the feed: characters of its topic, bytes of its payload, as text and as
   * hex, parts in colours of their own, bytes that are decoded for it, and characters of
   * the name of the script that did.
   */
  row: { topic: 512, text: 512, hex: 64, tokens: 60, decoded: 64 * KiB, by: 24 },

  /**
   * Values of a topic: how many, their bytes together, bytes of one; of how many topics;
   * and milliseconds of looking for them in the feed.
   */
  history: { values: 50, bytes: 512 * KiB, value: 64 * KiB, topics: 20, look: 20 },
  /**
   * Two values compared: lines of one, lines or words that differ, unchanged lines
   * or characters shown around what differs, and characters drawn of one change.
   */
  diff: { lines: 20_000, edits: 500, lineContext: 2, context: 200, change: 4096 },
  /**
   * The chart: lines, values of one, milliseconds of reading its past in one go, and what is
   * read of a topic in a second: messages, bytes, and milliseconds of all lines together.
   * What comes faster is left out and counted.
   */
  chart: { lines: 8, points: 5000, slice: 8, perSecond: { messages: 1000, bytes: MiB, milliseconds: 40 } },
  /** Paths suggested for the chart, levels of values looked into for them, and characters of one. */
  paths: { count: 50, depth: 8, length: 1024 },

  /** A payload before one asks for more: bytes, since a browser lays out megabytes slowly, and lines of decoded values. */
  payload: {
    text: 256 * KiB,
    hex: 16 * KiB,
    base64: 48 * KiB,
    lines: 500,
    moreLines: 1500,
    /** Lines decoded at least, so that what is shown can be folded. */
    decodedLines: 20_000,
    /** Bytes that are decoded. */
    decoded: 8 * MiB,
  },
  /** A few kilobytes can unpack into gigabytes of pixels. */
  picture: { pixels: 50_000_000, markup: MiB },
  /** A picture in a row: bytes and pixels it may have, and its size there in pixels. */
  thumbnail: { bytes: 512 * KiB, pixels: 8_000_000, width: 64, height: 20 },
  /** Bytes of a packet's dump. */
  dump: 4096,

  /** Bytes of a payload that are edited as text when a message is to be sent again. */
  resent: 256 * KiB,
  /** And of one that is not text, edited in hexadecimal. */
  hexed: KiB,
  /** Retained messages that were cleared: bytes kept of them, and seconds in which that can be undone. */
  undo: { bytes: 8 * MiB, seconds: 30 },
  /** Topic filters that the feed leaves out. */
  muted: 100,
  /** Topics suggested as one is typed, and what the palette shows of all that it finds. */
  suggestions: 8,
  palette: 40,

  /** Characters kept of what was decoded to be searched. */
  searched: 12 * MiB,

  /** Names of connections to filter by. */
  connections: 100,
  /** BIRTHs of one Sparkplug B node or device, and bytes really held by those of a connection. */
  births: { ofOne: 4, bytes: 4 * MiB },
  /** Bytes of what scripts made of the latest messages of a connection's topics. */
  readings: 4 * MiB,
  /** Values under $SYS: topics, bytes of them together and of one value, rows drawn, characters of a value. */
  sys: { topics: 2000, bytes: MiB, value: 1024, rows: 300, text: 300 },
} as const;
