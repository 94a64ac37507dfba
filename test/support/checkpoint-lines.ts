/** Lines of checkpoints for tests: some, and any; a memory that takes objects; entries as they stand in Redis. */
import { createSecretKey, hash } from 'node:crypto';
import fc from 'fast-check';
import { packBody } from '../../lib/cache/entry-format.ts';
import type { CheckpointLine, CheckpointRecord } from '../../lib/checkpoints/format/checkpoint-line.ts';
import { orderOf } from '../../lib/checkpoints/format/checkpoint-line.ts';
import type { ObjectSource } from '../../lib/checkpoints/format/frame-reader.ts';
import { createRunWriter } from '../../lib/checkpoints/format/frame-writer.ts';
import { compareUtf8 } from '../../lib/checkpoints/format/utf8-order.ts';
import { aadOf } from '../../lib/crypto/aad.ts';
import { open, seal } from '../../lib/crypto/envelope.ts';
import type { Seal } from '../../lib/crypto/tenant-cipher.ts';

/** A ULID that says its number. */
export const ulidOf = (number: number): string => `01kck${String(number).padStart(21, '0')}`;

export const cacheLine = (key: string, stored: string, namespace = 'ns'): CheckpointRecord => ({
  kind: 'cache',
  namespace,
  key,
  stored,
});

export const coldLine = (number: number, stub: string, user = ''): CheckpointRecord => ({
  kind: 'session',
  user,
  id: ulidOf(number),
  stub,
});

export const hotLine = (number: number, hash: Readonly<Record<string, string>>, user = ''): CheckpointRecord => ({
  kind: 'session',
  user,
  id: ulidOf(number),
  hash,
});

/** The same record, removed. */
export const removalOf = (line: CheckpointLine): CheckpointLine =>
  line.kind === 'cache'
    ? { kind: 'cache', namespace: line.namespace, key: line.key, removed: true }
    : { kind: 'session', user: line.user, id: line.id, removed: true };

/** Lines as a run has them: sorted, the last of each record. */
export const sortedLines = <L extends CheckpointLine>(lines: readonly L[]): readonly L[] =>
  [...new Map(lines.map((line) => [orderOf(line), line])).values()].sort((a, b) => compareUtf8(orderOf(a), orderOf(b)));

/** An entry as Redis has it, of that seq and with these tags. */
export function storedEntry(seq: number, tags: readonly string[] = [], payload = 'value'): string {
  const { metaBytes, tagBytes, rawBytes, digest, codec, body } = packBody(
    { content_type: 'text/plain', tags },
    'text',
    payload,
    Buffer.byteLength(payload),
  );
  const rest = `,29920000,${'0'.repeat(14)},${'0'.repeat(14)},${rawBytes},${seq},300,1795227660003,${metaBytes},${tagBytes},-,${digest},op,${codec}\n${body}`;
  return `c2,${hash('sha1', rest.slice(0, rest.length - payload.length), 'hex').slice(0, 8)}${rest}`;
}

/** Of few names, so that lines meet. */
const name = fc.oneof(
  fc.constantFrom('a', 'b', 'ab', '', 'ž', '\u{1f642}', '\u{fffd}', '\u{e000}'),
  fc.string({ unit: 'grapheme', maxLength: 4 }).map((text) => text.replaceAll('\0', '%00')),
);
const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.json());
const sessionName = fc.record(
  { user: name, id: fc.integer({ min: 0, max: 5 }).map(ulidOf) },
  { noNullPrototype: true },
);

export const aRecord: fc.Arbitrary<CheckpointRecord> = fc.oneof(
  fc
    .record({ namespace: fc.constantFrom('n', 'n2', 'N.-_'), key: name, stored: text }, { noNullPrototype: true })
    .map((fields) => ({ kind: 'cache' as const, ...fields })),
  fc
    .tuple(sessionName, text, fc.dictionary(name, text, { maxKeys: 3, noNullPrototype: true }))
    .map(([fields, h, data]) => ({
      kind: 'session' as const,
      ...fields,
      hash: Object.fromEntries([['h', h], ...Object.entries(data).map(([key, value]) => [`d:${key}`, value] as const)]),
    })),
  fc.tuple(sessionName, text).map(([fields, stub]) => ({ kind: 'session' as const, ...fields, stub })),
);

export const aLine: fc.Arbitrary<CheckpointLine> = fc
  .tuple(aRecord, fc.integer({ min: 0, max: 3 }))
  .map(([line, n]) => (n === 0 ? removalOf(line) : line));

/** Of a run. */
export const someLines = fc.array(aLine, { maxLength: 30 }).map(sortedLines);

/** Objects in memory, and a key for tenants that encrypt. */
export function createObjectMemory() {
  const objects = new Map<string, Buffer>();
  const key = createSecretKey(Buffer.alloc(32, 7));
  const tenantSeal: Seal = (plaintext, parts) => seal({ key, version: 1, aad: aadOf(['tenant', ...parts]), plaintext });
  let names = 0;
  const ranges: { readonly name: string; readonly start: number; readonly end: number }[] = [];
  const source: ObjectSource = {
    async read(name, range) {
      ranges.push({ name, ...range });
      return objects.get(name)?.subarray(range.start, range.end + 1) ?? null;
    },
    open: (sealed, parts) => open({ text: sealed, aad: aadOf(['tenant', ...parts]), keyOf: () => key }),
  };
  const writerDeps = (sealed: boolean) => ({
    sink: async (name: string, bytes: Buffer) => {
      objects.set(name, bytes);
    },
    seal: sealed ? tenantSeal : null,
    newName: () => ulidOf(++names),
  });
  return {
    objects,
    /** What was read. */
    ranges,
    source,
    writerDeps,
    async write(lines: Iterable<CheckpointLine>, sealed = false) {
      const writer = createRunWriter(writerDeps(sealed));
      for (const line of lines) await writer.add(line);
      return writer.close();
    },
  };
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
