/** A field for text of several lines: a textarea, or the editor in its place. */

export interface Caret {
  from: number;
  to: number;
}

export interface Control {
  caret(): Caret;
  focus(): void;
  /** Replaces the selection. It can be undone. */
  insert(text: string): void;
}

export function controlOf(area: HTMLTextAreaElement): Control {
  return {
    caret: () => ({ from: area.selectionStart, to: area.selectionEnd }),
    focus: () => area.focus(),
    insert(text) {
      area.focus();
      // As if it was typed, unlike setRangeText, which leaves nothing to undo.
      document.execCommand('insertText', false, text);
    },
  };
}
