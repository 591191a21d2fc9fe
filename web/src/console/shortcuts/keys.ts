/** Key combinations: whether they were pressed, and their names. */

export interface Keys {
  /** As `KeyboardEvent.key` has it; a letter in lower case. */
  key: string;
  shift?: boolean;
  /** Control; Command on Apple's keyboards. */
  command?: boolean;
  /** Option on Apple's keyboards. */
  alt?: boolean;
}

type Pressed = Pick<KeyboardEvent, 'key' | 'shiftKey' | 'ctrlKey' | 'metaKey' | 'altKey'>;

const isLetter = (key: string) => /^[a-z]$/.test(key);

export function pressed({ key, shift = false, command = false, alt = false }: Keys, event: Pressed): boolean {
  if (event.altKey !== alt || (event.ctrlKey || event.metaKey) !== command) return false;
  if (!isLetter(key)) return event.key === key; // which of them need Shift depends on the keyboard
  return event.key.toLowerCase() === key && event.shiftKey === shift;
}

const named: Record<string, string> = { Escape: 'Esc', ArrowUp: '↑' };
const namedByApple: Record<string, string> = { Escape: 'esc', Enter: '↩', ArrowUp: '↑' };

export function namesOf({ key, shift, command, alt }: Keys, apple: boolean): string[] {
  const name = (apple ? namedByApple : named)[key] ?? (isLetter(key) ? key.toUpperCase() : key);
  return [
    command && (apple ? '⌘' : 'Ctrl'),
    alt && (apple ? '⌥' : 'Alt'),
    shift && (apple ? '⇧' : 'Shift'),
    name,
  ].filter((part): part is string => typeof part === 'string');
}

/** By what a browser says of its platform. */
export function isApple(platform: string): boolean {
  return /^(mac|iphone|ipad|ipod)/i.test(platform);
}
