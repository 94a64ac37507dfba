import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadLz4 } from '../../lib/blobs/lz4.ts';
import { sha256Of } from '../../lib/blobs/sha256.ts';
import { CorruptValueError } from '../../lib/errors.ts';
import { newTenantId, newUlid } from '../../lib/ids.ts';
import { decodeSessionObject } from '../../lib/sessions/spillover/session-object.ts';
import { expectedOf, newSession, sessionObject } from '../support/session-objects.ts';

const MIB = 1024 * 1024;
const session = newSession();
type Fields = ReadonlyMap<string, string>;

const roundTrip = async (fields: Fields) => {
  const { encoded, expected } = await sessionObject(session, fields);
  return decodeSessionObject(encoded.bytes, expected);
};
/** About 4 KB that do not compress much. */
const noisy = () =>
  sessionObject(session, new Map([['d:noise', JSON.stringify(randomBytes(3_900).toString('base64'))]]));

/** What reading it ends with: the fields, or the error's class. */
const outcomeOf = (bytes: Buffer, expected: Parameters<typeof decodeSessionObject>[1]) =>
  decodeSessionObject(bytes, expected).catch((error: Error) => error.constructor);

function flip(bytes: Buffer, bit: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return changed;
}

/** An object of any JSON, with a stub that names exactly it. */
async function forged(json: string) {
  const raw = Buffer.from(json);
  const bytes = (await loadLz4()).compress(raw);
  return { bytes, expected: expectedOf(session, { bytes, rawBytes: raw.length, sha256: sha256Of(bytes) }) };
}

describe('a session as an object [P3]', () => {
  it.each<[string, Fields]>([
    ['nothing', new Map()],
    [
      'empty texts',
      new Map([
        ['m', ''],
        ['d:', ''],
        ['d:a', ''],
      ]),
    ],
    [
      'numbers that JavaScript would damage',
      new Map([
        ['d:n', '9007199254740993'],
        ['d:e', '1e400'],
        ['d:z', '-0.0'],
      ]),
    ],
    ['spaces, escapes and quotes as given', new Map([['d:q', ' { "a" : "\\u00e9\\n\\"" }\n\t']])],
    ['control characters and line separators', new Map([['d:c', '\0\x01\x1f\x7f\x85\u2028\u2029\ufeff\r\n']])],
    [
      'names with a meaning elsewhere',
      new Map([
        ['d:__proto__', '1'],
        ['d:constructor', '2'],
        ['d:1', '3'],
        ['d:0', '4'],
      ]),
    ],
    ['text beyond the first plane', new Map([['d:ž🙂', '"漢🙂\\ud83d"']])],
    ['sealed text', new Map([['m', `1.${randomBytes(90).toString('base64')}`]])],
    ['1 MiB that compresses', new Map([['d:big', `"${'abc'.repeat(MIB / 3)}"`]])],
    ['1 MiB that does not', new Map([['d:big', `"${randomBytes(MIB).toString('latin1')}"`]])],
    ['512 fields', new Map(Array.from({ length: 512 }, (_, at) => [`d:key-${at}`, String(at)]))],
  ])('gives back %s, in order', async (_name, fields) => {
    expect([...(await roundTrip(fields))]).toEqual([...fields]);
  });

  it('gives back whatever the fields are', async () => {
    const name = fc.string({ unit: 'binary', maxLength: 20 }).map((key) => `d:${key}`);
    const fields = fc.array(fc.tuple(fc.oneof(fc.constant('m'), name), fc.string({ unit: 'binary', maxLength: 200 })));
    await fc.assert(
      fc.asyncProperty(fields, async (entries) => {
        expect([...(await roundTrip(new Map(entries)))]).toEqual([...new Map(entries)]);
      }),
    );
  });

  it('is a frame that `lz4 -d` opens, where that is installed, and says whose it is', async () => {
    const { encoded } = await sessionObject(session, new Map([['d:a', '{"x":1}']]));
    const opened = spawnSync('lz4', ['-dc'], { input: encoded.bytes });
    const raw =
      opened.error === undefined ? opened.stdout : (await loadLz4()).decompress(encoded.bytes, encoded.rawBytes);
    expect(raw.length).toBe(encoded.rawBytes);
    expect(JSON.parse(raw.toString())).toEqual({
      format: 'riptide-session-1',
      tenant_id: session.tenantId,
      session: `session-${session.sessionUlid}`,
      version: 3,
      seq: 17,
      fields: { 'd:a': '{"x":1}' },
    });
  });

  it('is the same for the same session', async () => {
    const fields = new Map([['d:a', '1']]);
    const [one, two] = await Promise.all([sessionObject(session, fields), sessionObject(session, fields)]);
    expect(one).toEqual(two);
  });
});

describe('an object of a session that is damaged, or another [P4 P5]', () => {
  it('is refused with any bit of 4 KB flipped', async () => {
    const { encoded, expected } = await noisy();
    expect(encoded.bytes.length).toBeGreaterThan(4_000);
    for (let bit = 0; bit < encoded.bytes.length * 8; bit += 1) {
      expect(await outcomeOf(flip(encoded.bytes, bit), expected)).toBe(CorruptValueError);
    }
  });

  it('is never another error with a bit flipped, even if the stub names those very bytes', async () => {
    const { encoded, expected } = await noisy();
    for (let bit = 0; bit < encoded.bytes.length * 8; bit += 5) {
      const bytes = flip(encoded.bytes, bit);
      const outcome = await outcomeOf(bytes, { ...expected, sha256: sha256Of(bytes) });
      expect(outcome === CorruptValueError || outcome instanceof Map).toBe(true);
    }
  });

  it('is refused cut anywhere, or longer', async () => {
    const { encoded, expected } = await noisy();
    const { bytes } = encoded;
    for (let length = 0; length < bytes.length; length += 1) {
      const cut = bytes.subarray(0, length);
      expect(await outcomeOf(cut, expected)).toBe(CorruptValueError);
      expect(await outcomeOf(cut, { ...expected, bytes: length, sha256: sha256Of(cut) })).toBe(CorruptValueError);
    }
    expect(await outcomeOf(Buffer.concat([bytes, Buffer.of(0)]), expected)).toBe(CorruptValueError);
  });

  it.each([
    ['another tenant', { tenantId: newTenantId(newUlid(1)) }],
    ['another session', { sessionUlid: newUlid(1) }],
    ['an older version', { version: 2 }],
    ['a newer version', { version: 4 }],
    ['another time', { seq: 16 }],
  ])('is refused when it is of %s, though its bytes are whole and the stub names them', async (_name, other) => {
    const { encoded, expected } = await sessionObject({ ...session, ...other }, new Map([['d:a', '1']]));
    expect(await outcomeOf(encoded.bytes, expected)).toBeInstanceOf(Map);
    expect(await outcomeOf(encoded.bytes, { ...expected, ...session })).toBe(CorruptValueError);
  });

  it('is refused above the cap, or of another length than the stub says, before it is decompressed', async () => {
    const { encoded, expected } = await sessionObject(session, new Map([['d:a', 'x'.repeat(MIB)]]));
    const { rawBytes } = encoded;
    expect(await outcomeOf(encoded.bytes, { ...expected, maxRawBytes: rawBytes })).toBeInstanceOf(Map);
    expect(await outcomeOf(encoded.bytes, { ...expected, maxRawBytes: rawBytes - 1 })).toBe(CorruptValueError);
    for (const other of [0, 1, rawBytes - 1, rawBytes + 1, -1, 0.5, Number.NaN, 2 ** 53, 3 * 2 ** 30]) {
      expect(await outcomeOf(encoded.bytes, { ...expected, rawBytes: other })).toBe(CorruptValueError);
    }
  });

  it('is refused when it is no session, though its bytes are those the stub names', async () => {
    const { tenantId, sessionUlid, version, seq } = session;
    const head = { format: 'riptide-session-1', tenant_id: tenantId, session: `session-${sessionUlid}`, version, seq };
    const json = (more: object) => JSON.stringify({ ...head, fields: {}, ...more });
    const good = await forged(json({}));
    expect(await outcomeOf(good.bytes, good.expected)).toEqual(new Map());
    const badFields = [null, [], 'm', 1, { m: 1 }, { 'd:a': null }, { x: '1' }, { h: '1' }, { mm: '1' }];
    const badHeads = [{ format: 'riptide-session-2' }, { version: '3' }, { seq: null }, { tenant_id: [tenantId] }];
    const others = [...badHeads, ...badFields.map((fields) => ({ fields }))].map(json);
    for (const text of [...others, JSON.stringify(head), 'null', '[]', '"x"', '{', ' ']) {
      const { bytes, expected } = await forged(text);
      expect(await outcomeOf(bytes, expected), text).toBe(CorruptValueError);
    }
  });

  it('quotes nothing of what it holds', async () => {
    const { bytes, expected } = await forged('{"secret": "s3cr3t"');
    const error = await decodeSessionObject(bytes, expected).catch((thrown: Error) => thrown);
    expect(JSON.stringify(error) + String(error) + String((error as Error).cause)).not.toContain('s3cr3t');
  });
});
