/** Entries for tests of exports: one of them, and any. */
import fc from 'fast-check';
import type { EntryMeta } from '../../lib/cache/entry-format.ts';
import type { ExportEntry } from '../../lib/cache/exports/export-line.ts';

export const exportEntryOf = (key: string, value: Buffer, changes: Partial<ExportEntry> = {}): ExportEntry => ({
  name: { namespace: 'ns', key },
  value,
  meta: { content_type: 'text/plain' },
  expiresAtMs: null,
  freshUntilMs: null,
  ...changes,
});

const printable = fc.stringMatching(/^[\x21-\x7e](?:[\x20-\x7e]{0,18}[\x21-\x7e])?$/);
const timeMs = fc.option(fc.integer({ min: 0, max: 253_402_300_799_999 }), { nil: null });
const meta = fc.record(
  {
    content_type: printable,
    version: printable,
    source: printable,
    tags: fc.array(fc.stringMatching(/^[\x21-\x2b\x2d-\x7e]{1,10}$/), { maxLength: 4 }),
    attributes: fc.dictionary(
      fc.string({ minLength: 1, maxLength: 5 }).filter((name) => name !== '__proto__'),
      fc.string({ unit: 'grapheme', maxLength: 20 }),
      { maxKeys: 3, noNullPrototype: true },
    ),
  },
  { requiredKeys: ['content_type'], noNullPrototype: true },
);

export const anExportEntry: fc.Arbitrary<ExportEntry> = fc.record(
  {
    name: fc.record(
      {
        namespace: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,10}$/),
        key: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
      },
      { noNullPrototype: true },
    ),
    value: fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.string({ unit: 'grapheme', maxLength: 200 }).map((text) => Buffer.from(text)),
      fc.json().map((json) => Buffer.from(json)),
    ),
    meta: meta as fc.Arbitrary<EntryMeta>,
    expiresAtMs: timeMs,
    freshUntilMs: timeMs,
  },
  { noNullPrototype: true },
);
