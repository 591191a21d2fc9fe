/** CodeMirror, as a control of ours. */

import { defaultKeymap, history, historyKeymap, isolateHistory } from '@codemirror/commands';
import { json } from '@codemirror/lang-json';
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from '@codemirror/language';
import { Compartment, EditorState, type Extension, Prec } from '@codemirror/state';
import { EditorView, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import type { RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Caret, Control } from './control';

export interface EditorProps {
  label: string;
  value: string;
  /** Undefined: plain text. */
  language: 'json' | Extension | undefined;
  /** What is wrong with it, announced with its name. */
  problem: string;
  /** Whether it can't be sent so. */
  invalid: boolean;
  /** The caret of the control that it replaces. */
  caret?: Caret;
  focused?: boolean;
  /** Pixels. */
  height: number;
  control?: RefObject<Control | null>;
  onEdit(value: string): void;
  /** Called before the editor handles a key; returns true if the key is handled. */
  onKey?(event: KeyboardEvent): boolean;
}

const look = EditorView.theme({
  '&': { height: '100%', color: 'var(--text)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'inherit', lineHeight: 'inherit' },
  '.cm-content': { padding: '0.3125rem 0', caretColor: 'var(--text)' },
  '.cm-gutters': { background: 'none', border: 'none', color: 'var(--muted)' },
  '&.cm-focused .cm-matchingBracket': { background: 'var(--accent-soft)' },
  '&.cm-focused .cm-nonmatchingBracket': { background: 'var(--bad-soft)' },
});

/** The colours that payloads have elsewhere. */
const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: 'var(--accent)' },
  { tag: tags.string, color: 'var(--good)' },
  { tag: tags.number, color: 'var(--qos-1)' },
  { tag: [tags.bool, tags.null], color: 'var(--qos-2)' },
  { tag: tags.keyword, color: 'var(--qos-2)' },
  { tag: tags.comment, color: 'var(--muted)' },
]);

/** Line ends are one character in it, as in a textarea. */
const oneEnd = (text: string): string => text.replace(/\r\n?/g, '\n');

/**
 * What is typed over a selection of several colours or lines. The browser would keep
 * the look of what was there as inline style, which the page's policy forbids.
 */
function beforeinput(event: InputEvent, view: EditorView): boolean {
  const { inputType, data, isComposing } = event;
  if (inputType !== 'insertText' || !data || isComposing || view.state.selection.main.empty) return false;
  view.dispatch(view.state.replaceSelection(data), { userEvent: 'input.type', scrollIntoView: true });
  return true;
}

export function Editor(props: EditorProps) {
  const { label, value, language, problem, invalid, height } = props;
  const host = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const made = useRef<{ view: EditorView; language: Compartment; attributes: Compartment }>(null);

  useLayoutEffect(() => {
    // In a document, CodeMirror would add a <style> to <head>, which the page's policy forbids.
    const root = host.current?.attachShadow({ mode: 'open', delegatesFocus: true });
    if (!root) return;
    const { value, caret = { from: 0, to: 0 }, focused, control } = latest.current;
    const [language, attributes] = [new Compartment(), new Compartment()];
    const doc = oneEnd(value);
    const within = (at: number) => Math.min(at, doc.length);
    const view = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc,
        selection: { anchor: within(caret.from), head: within(caret.to) },
        extensions: [
          Prec.highest(
            EditorView.domEventHandlers({ keydown: (event) => latest.current.onKey?.(event), beforeinput }),
          ),
          lineNumbers(),
          history(),
          indentOnInput(),
          bracketMatching(),
          syntaxHighlighting(colours),
          keymap.of([...defaultKeymap, ...historyKeymap]),
          EditorView.lineWrapping,
          EditorView.updateListener.of((update) => {
            const text = update.docChanged && update.state.doc.toString();
            if (text !== false && text !== oneEnd(latest.current.value)) latest.current.onEdit(text);
          }),
          look,
          language.of([]),
          attributes.of([]),
        ],
      }),
    });
    made.current = { view, language, attributes };
    if (control) {
      control.current = {
        caret: () => view.state.selection.main,
        focus: () => view.focus(),
        insert(text) {
          // Undone separately, not together with what was typed just before.
          const annotations = isolateHistory.of('full');
          view.dispatch(view.state.replaceSelection(text), { annotations, scrollIntoView: true });
          view.focus();
        },
      };
    }
    if (focused) view.focus();
    return () => view.destroy();
  }, []);

  useLayoutEffect(() => {
    const view = made.current?.view;
    const text = oneEnd(value);
    if (!view || view.state.doc.toString() === text) return;
    const changes = { from: 0, to: view.state.doc.length, insert: text };
    view.dispatch({ changes, selection: { anchor: text.length } });
  }, [value]);

  useLayoutEffect(() => {
    const extension = language === 'json' ? json() : (language ?? []);
    made.current?.view.dispatch({ effects: made.current.language.reconfigure(extension) });
  }, [language]);

  useLayoutEffect(() => {
    const attributes = EditorView.contentAttributes.of({
      'aria-label': label,
      // A description can't be referred to from within the shadow.
      ...(problem && { 'aria-description': problem }),
      ...(invalid && { 'aria-invalid': 'true' }),
      tabindex: '0', // not all assistive technologies know that an editable element can have the focus
      spellcheck: 'false',
      autocapitalize: 'none',
    });
    made.current?.view.dispatch({ effects: made.current.attributes.reconfigure(attributes) });
  }, [label, problem, invalid]);

  return (
    <div
      ref={host}
      class="input mono code"
      data-editor
      data-invalid={invalid}
      style={{ height: `${height}px` }}
    />
  );
}
