/** JavaScript for the editor, with completion of a script's API. */

import {
  autocompletion,
  type CompletionContext,
  type CompletionSource,
  completeFromList,
  snippetCompletion,
} from '@codemirror/autocomplete';
import { javascript, javascriptLanguage, localCompletionSource } from '@codemirror/lang-javascript';
import type { Extension } from '@codemirror/state';
import { highlightSpecialChars } from '@codemirror/view';

const names = completeFromList([
  snippetCompletion('function onMessage(message) {\n  #{}\n}', {
    label: 'onMessage',
    detail: '(message) => value',
    type: 'function',
  }),
  { label: 'publish', detail: '(topic, payload, { qos, retain, properties }) => boolean', type: 'function' },
  { label: 'reply', detail: '(message, payload, options) => boolean', type: 'function' },
  { label: 'alert', detail: '(text) => void', type: 'function' },
  { label: 'log', detail: '(...values) => void', type: 'function' },
  { label: 'state', detail: 'object', type: 'variable' },
  { label: 'setTimeout', detail: '(call, milliseconds) => number', type: 'function' },
  { label: 'setInterval', detail: '(call, milliseconds) => number', type: 'function' },
  { label: 'clearTimeout', detail: '(id) => void', type: 'function' },
  { label: 'clearInterval', detail: '(id) => void', type: 'function' },
]);

const message = [
  ['topic', 'string'],
  ['payload', 'Uint8Array'],
  ['text', '(from?, to?) => string'],
  ['json', '() => any'],
  ['qos', '0 | 1 | 2'],
  ['retain', 'boolean'],
  ['receivedAt', 'number'],
  ['properties', 'object'],
] as const;

const properties = [
  ['responseTopic', 'string?'],
  ['correlationData', 'Uint8Array?'],
  ['contentType', 'string?'],
  ['payloadFormatIndicator', 'boolean?'],
  ['messageExpiryInterval', 'number?'],
  ['userProperties', '[string, string][]?'],
] as const;

const fleetNames = completeFromList([
  snippetCompletion("function message(device) {\n  return { topic: '#{}', payload: '' };\n}", {
    label: 'message',
    detail: '(device) => { topic, payload }',
    type: 'function',
  }),
]);

const device = [
  ['number', 'number'],
  ['id', 'string'],
  ['n', 'number'],
  ['now', 'number'],
] as const;

type Members = readonly (readonly [label: string, detail: string])[];

/** The members of objects by the names that these have. */
function membersOf(objects: Record<string, Members>): CompletionSource {
  const place = new RegExp(`\\b(?:${Object.keys(objects).join('|')})\\.\\w*$`);
  return (context: CompletionContext) => {
    const word = context.matchBefore(place);
    if (!word) return null;
    const [object = ''] = word.text.split('.');
    const options = (objects[object] ?? []).map(([label, detail]) => ({ label, detail, type: 'property' }));
    return { from: word.from + object.length + 1, options, validFor: /^\w*$/ };
  };
}

const languageWith = (...sources: CompletionSource[]): Extension => [
  // Shows invisible and deceptive characters.
  highlightSpecialChars(),
  javascript(),
  ...[...sources, localCompletionSource].map((autocomplete) => javascriptLanguage.data.of({ autocomplete })),
  autocompletion(),
];

export const scriptLanguage = languageWith(names, membersOf({ message, properties }));
export const fleetLanguage = languageWith(fleetNames, membersOf({ device }));
