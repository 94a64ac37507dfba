/** The object of a session that an earlier version wrote is read by this one, and written as it was. */
import { describe, expect, it } from 'vitest';
import { loadLz4 } from '../../lib/blobs/lz4.ts';
import {
  decodeSessionObject,
  encodeSessionObject,
  MAX_SESSION_RAW_BYTES,
} from '../../lib/sessions/spillover/session-object.ts';
import { golden } from '../support/stored-formats.ts';

const { object_base64, expected } = golden.sessionObject;
const object = Buffer.from(object_base64, 'base64');
const fields = new Map(Object.entries(golden.sessionObject.fields));

describe('stored objects of sessions [P3 P4]', () => {
  it('are read', async () => {
    const read = await decodeSessionObject(object, { ...expected, maxRawBytes: MAX_SESSION_RAW_BYTES });
    expect([...read]).toEqual([...fields]);
  });

  it('have the JSON that is written today', async () => {
    const { bytes, rawBytes } = await encodeSessionObject({ ...expected, fields });
    expect(rawBytes).toBe(expected.rawBytes);
    const lz4 = await loadLz4();
    expect(lz4.decompress(bytes, rawBytes).toString()).toBe(lz4.decompress(object, rawBytes).toString());
  });
});
