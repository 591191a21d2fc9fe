export const clientChunk: { name: string; test: RegExp };
