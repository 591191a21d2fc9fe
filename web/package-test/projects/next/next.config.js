import { fileURLToPath } from 'node:url';

// Next.js itself lies two folders up.
const root = fileURLToPath(new URL('../..', import.meta.url));

export default { turbopack: { root } };
