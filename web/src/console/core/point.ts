/** Of a line that is drawn. */
export type Point = readonly [x: number, y: number];
