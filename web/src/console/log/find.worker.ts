import { find, type Haystack, type Pattern, split } from './find';

export type Question = { id: number; pattern: Pattern } & ({ haystack: Haystack } | { texts: string[] });

self.onmessage = ({ data }: MessageEvent<Question>) => {
  const { id, pattern } = data;
  const answer =
    'haystack' in data ? find(pattern, data.haystack) : data.texts.map((text) => split(pattern, text));
  self.postMessage({ id, answer });
};

self.postMessage('ready');
