/** What stands in the place beside the forms. */
export const views = ['messages', 'topics', 'broker', 'packets'] as const;

export type View = (typeof views)[number];
