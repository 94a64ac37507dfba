/** An export that an earlier version wrote is read by this one, and its lines are written as they were. */
import { describe, expect, it } from 'vitest';
import { openFrame, readExport } from '../../lib/cache/exports/export-format.ts';
import { type ExportEntry, lineOf } from '../../lib/cache/exports/export-line.ts';
import { parseManifest } from '../../lib/cache/exports/export-manifest.ts';
import { golden } from '../support/stored-formats.ts';

const MAX_VALUE_BYTES = 1_000;
const object = Buffer.from(golden.export.object_base64, 'base64');
const manifest = parseManifest(golden.export.manifest);

const ENTRIES: readonly ExportEntry[] = [
  {
    name: { namespace: 'ns', key: 'text' },
    value: Buffer.from('{"ž":"🙂","n":9007199254740993}\n'),
    meta: {
      content_type: 'application/json',
      version: '7',
      source: 'db',
      tags: ['a', 'b'],
      attributes: { n: '1' },
    },
    expiresAtMs: 1795227660003,
    freshUntilMs: 1795227600000,
  },
  {
    name: { namespace: 'ns', key: 'bytes\0%2f {x}' },
    value: Buffer.from('AP+AwygNCg==', 'base64'),
    meta: { content_type: 'application/octet-stream' },
    expiresAtMs: null,
    freshUntilMs: null,
  },
  {
    name: { namespace: 'ns', key: 'none' },
    value: Buffer.alloc(0),
    meta: { content_type: 'text/plain', negative: true },
    expiresAtMs: 1795227660003,
    freshUntilMs: null,
  },
];

describe('stored exports [C11]', () => {
  it('are read', async () => {
    const fetch = async ({ start, end }: { start: number; end: number }) => object.subarray(start, end + 1);
    const entries: unknown[] = [];
    for await (const item of readExport({ manifest, fetch, maxValueBytes: MAX_VALUE_BYTES })) entries.push(item);
    expect(entries).toEqual(ENTRIES.map((entry, i) => ({ line: i + 1, entry })));
  });

  it('have the lines that are written today', async () => {
    const [frame] = manifest.frames;
    if (frame === undefined) throw new Error('the sample has a frame');
    const content = await openFrame(object, frame, MAX_VALUE_BYTES);
    expect(content.toString()).toBe(Buffer.concat(ENTRIES.map(lineOf)).toString());
  });
});
