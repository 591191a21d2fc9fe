/** What stands in the place beside the forms. */
export type View = 'messages' | 'topics' | 'broker' | 'packets';
