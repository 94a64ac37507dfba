/** A checkpoint that an earlier version wrote is read by this one, and its lines are written as they were. */
import { createSecretKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type CheckpointLine, encodeLine } from '../../lib/checkpoints/format/checkpoint-line.ts';
import type { CheckpointObject } from '../../lib/checkpoints/format/checkpoint-object.ts';
import { type ObjectSource, readFrames } from '../../lib/checkpoints/format/frame-reader.ts';
import { decodeManifest, objectsOf } from '../../lib/checkpoints/format/manifest.ts';
import { decodePart, encodePart, joinParts } from '../../lib/checkpoints/format/manifest-part.ts';
import { readRun } from '../../lib/checkpoints/format/run-reader.ts';
import { readState } from '../../lib/checkpoints/format/state-object.ts';
import { decodeVerdict, encodeVerdict } from '../../lib/checkpoints/format/verdict.ts';
import { aadOf } from '../../lib/crypto/aad.ts';
import { open } from '../../lib/crypto/envelope.ts';
import { collect, ulidOf } from '../support/checkpoint-lines.ts';
import { golden } from '../support/stored-formats.ts';

const { checkpoint, tenant, cacheEntries, stub } = golden;
const key = createSecretKey(Buffer.from(checkpoint.key_base64, 'base64'));
const source: ObjectSource = {
  async read(name, { start, end }) {
    return Buffer.from(checkpoint.objects[name] ?? '', 'base64').subarray(start, end + 1);
  },
  open: (text, parts) => open({ text, aad: aadOf([tenant.id, ...parts]), keyOf: () => key }),
};

const BASE: readonly CheckpointLine[] = [
  { kind: 'cache', namespace: 'ns', key: 'a%00%25', stored: cacheEntries[0]?.stored ?? '' },
  { kind: 'cache', namespace: 'ns', key: 'ž\u{1f642}', stored: stub.stored },
  {
    kind: 'session',
    user: '',
    id: ulidOf(1),
    hash: { h: 's1,hot\n{"client":{}}', 'd:__proto__': '{"n":1}', 'd:cart': '"ž"' },
  },
  { kind: 'session', user: 'ada%2f', id: ulidOf(2), stub: 's1,cold\nplace\nmeta' },
];
const LATER: readonly CheckpointLine[] = [
  { kind: 'cache', namespace: 'ns', key: 'a%00%25', removed: true },
  { kind: 'session', user: 'ada%2f', id: ulidOf(2), removed: true },
];
const STATE = { record: { name: 'Golden ž' }, keys: [] };

describe('stored checkpoints [K1 K3]', () => {
  it('keep what verifying them has found', () => {
    const verdict = decodeVerdict(golden.checkpointVerdict);
    expect(verdict).toMatchObject({ ok: false, damaged: 2, erased: 1, problems: [{}, { tenant: null, object: null }] });
    expect(verdict && encodeVerdict(verdict)).toBe(golden.checkpointVerdict);
    for (const other of ['', '{}', 'null', golden.checkpointVerdict.replace('cv1', 'cv2')])
      expect(decodeVerdict(other)).toBeNull();
  });

  it('have a manifest that is read', async () => {
    const manifest = await decodeManifest(Buffer.from(checkpoint.manifest_base64, 'base64'));
    expect(manifest).toEqual(checkpoint.manifest);
    expect(
      manifest.tenants
        .flatMap(objectsOf)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(Object.keys(checkpoint.objects).sort());
  });

  it('have data that is read, plain and sealed', async () => {
    const [found] = checkpoint.manifest.tenants;
    const [base, later] = found?.runs ?? [];
    expect(await collect(readRun(base?.objects ?? [], source))).toEqual(BASE);
    expect(await collect(readRun(later?.objects ?? [], source))).toEqual(LATER);
    expect(later?.objects[0]?.frames[0]?.sealed).toBe(true);
    expect(await readState(found?.state as CheckpointObject, source)).toEqual(STATE);
  });

  it('have the lines that are written today', async () => {
    const runs = checkpoint.manifest.tenants[0]?.runs ?? [];
    const frames = await Promise.all(
      runs.flatMap(({ objects }) => objects.map((each) => collect(readFrames(each, source)))),
    );
    expect(frames.flat().map(String)).toEqual([BASE, LATER].map((lines) => lines.map(encodeLine).join('')));
  });

  it('that were not done go on with their parts', () => {
    const parts = checkpoint.parts.map((text) => decodePart(Buffer.from(text)));
    expect(joinParts(parts)).toEqual(checkpoint.manifest.tenants);
    expect(parts.map((lines) => encodePart(lines).toString())).toEqual(checkpoint.parts);
  });
});
