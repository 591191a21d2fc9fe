/** For tests: the names of MQTT.js, read from its declarations. */

import { existsSync, readFileSync } from 'node:fs';

export interface Names {
  version: string;
  /** Of `connect`, and of the calls. */
  options: string[];
  publish: string[];
  subscribe: string[];
  unsubscribe: string[];
  /** Methods and fields. */
  client: string[];
  events: string[];
  exports: string[];
}

const installed = new URL('../../bench/node_modules/mqtt/', import.meta.url);

const read = (path: string): string => readFileSync(new URL(path, installed), 'utf8');

/** Undefined where the package is not installed, which only the benchmark needs. */
export function installedNames(): Names | undefined {
  if (!existsSync(new URL('package.json', installed))) return undefined;
  const client = read('build/lib/client.d.ts');
  return {
    version: (JSON.parse(read('package.json')) as { version: string }).version,
    options: membersOf(client, 'IClientOptions', 'ISecureClientOptions'),
    publish: membersOf(client, 'IClientPublishOptions'),
    subscribe: membersOf(client, 'IClientSubscribeOptions', 'IClientSubscribeProperties'),
    unsubscribe: membersOf(client, 'IClientUnsubscribeProperties'),
    client: [
      ...membersOf(client, 'MqttClient'),
      ...membersOf(read('build/lib/TypedEmitter.d.ts'), 'TypedEventEmitter'),
    ].filter((name) => name !== 'constructor'),
    events: membersOf(client, 'MqttClientEventCallbacks'),
    exports: exportsOf('build/mqtt.d.ts'),
  };
}

/** What stands one level deep in the interfaces or classes, and is not private. */
function membersOf(text: string, ...names: string[]): string[] {
  const members = names.flatMap((name) => {
    const [, body = ''] =
      new RegExp(`(?:interface|class) ${name}\\b.*?\\{\n(.*?)\n\\}`, 's').exec(text) ?? [];
    return [...body.matchAll(/^ {4}(?!private)(?:static |get )?(\w+)\??[(:<]/gm)].map(
      ([, member]) => member ?? '',
    );
  });
  return unique(members);
}

/** What a module exports by name, types too. */
function exportsOf(path: string): string[] {
  const text = read(path);
  const declared = [...text.matchAll(/^export (?:declare )?(?:type|interface|class|const|function) (\w+)/gm)];
  const listed = [...text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, list = '']) =>
    list.split(','),
  );
  const passedOn = [...text.matchAll(/^export \* from '\.\/(.*)'/gm)];
  return unique([
    ...declared.map(([, name]) => name ?? ''),
    ...listed.map((name) => name.trim()).filter((name) => name !== ''),
    ...passedOn.flatMap(([, module]) => exportsOf(`build/${module}.d.ts`)),
  ]);
}

const unique = (names: string[]): string[] => [...new Set(names)].sort();
