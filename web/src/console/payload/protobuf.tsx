/** Protobuf by the user's .proto files, which stay loaded for as long as the page is open. */

import { signal } from '@preact/signals';
import { visible } from '../text';
import { Select } from '../ui/fields';
import { schemas } from './choices';
import { decodeMessage } from './message';
import { readSchema, type Schema } from './schema';
import type { Sink } from './sink';

const schema = signal<Schema | undefined>(undefined);
const error = signal('');
const names = signal<string[]>([]);

/** Bytes of one file that are read at all. */
const largest = 1024 * 1024;

async function load(files: File[]): Promise<void> {
  try {
    const tooLarge = files.find(({ size }) => size > largest);
    if (tooLarge) throw new Error(`${visible(tooLarge.name)} is larger than 1 MiB`);
    const texts = await Promise.all(
      files.map(async (file) => ({ name: file.name, text: await file.text() })),
    );
    schema.value = readSchema(texts);
    names.value = files.map(({ name }) => visible(name));
    error.value = '';
    schemas.value++;
  } catch (reason) {
    error.value = reason instanceof Error ? reason.message : String(reason);
  }
}

/** The only one there is, where none has been chosen. */
function chosen(type: string | undefined): string | undefined {
  const types = schema.value?.types ?? [];
  if (type !== undefined && types.includes(type)) return type;
  return types.length === 1 ? types[0] : undefined;
}

/** Throws PayloadError. Without a type, field numbers are shown. */
export function decode(payload: Uint8Array, out: Sink, type: string | undefined): void {
  const name = chosen(type);
  decodeMessage(payload, name === undefined ? undefined : schema.value?.root.lookupType(name), out);
}

export function ProtobufControls({ type, onType }: { type: string | undefined; onType(type: string): void }) {
  const types = schema.value?.types ?? [];
  return (
    <div class="payload-tools">
      <label class="button small payload-file">
        {names.value.length ? 'Other .proto files' : 'Load .proto files'}
        <input
          class="visually-hidden"
          type="file"
          accept=".proto"
          multiple
          onChange={(event) => {
            const input = event.currentTarget;
            void load([...(input.files ?? [])]);
            input.value = ''; // so that the same file can be chosen again
          }}
        />
      </label>
      {types.length > 0 ? (
        <Select
          label="Message type"
          class="inline"
          value={chosen(type) ?? ''}
          options={[['', 'none: field numbers'], ...types.map((name) => [name, visible(name)] as const)]}
          onEdit={onType}
        />
      ) : (
        <span class="payload-said">Field numbers until you load the definition</span>
      )}
      {names.value.length > 0 && <span class="payload-said">{names.value.join(', ')}</span>}
      {error.value && (
        <p class="payload-error" role="alert">
          {error.value}
        </p>
      )}
    </div>
  );
}
