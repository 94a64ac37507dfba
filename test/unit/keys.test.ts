import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newTenantId, newUlid } from '../../lib/ids.ts';
import {
  cacheBlob,
  createKeys,
  doomedBlob,
  parseExpiryMember,
  sessionBlob,
  tenantBlobPrefixes,
  unescapeControls,
} from '../../lib/keys.ts';
import { expiryMember, keyMember } from '../support/index-member.ts';

const keys = createKeys('riptide:v1:');
const id = newTenantId(newUlid(0));
/** Any text a caller may send as a key. */
const callersKey = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 });
const namespace = fc.stringMatching(/^[a-z0-9_-]{1,20}$/);

/** What Cluster hashes: between the first `{` and the first `}` after it. */
const hashTag = (key: string) => /\{([^}]+)\}/.exec(key)?.[1];

describe('Redis keys [C1 T1]', () => {
  it('of a tenant share its slot, whatever the caller names an entry', () => {
    fc.assert(
      fc.property(callersKey, namespace, (key, ns) => {
        expect(hashTag(keys.cacheEntry(id, 1, { namespace: ns, key }))).toBe(`t:${id}`);
      }),
    );
    const others = [keys.gate(id), keys.record(id), keys.apiKeys(id), keys.index(id, 1), keys.keptIndex(id)];
    for (const key of others) expect(hashTag(key)).toBe(`t:${id}`);
  });

  it('of two entries are never the same', () => {
    const name = fc.record({ namespace, key: callersKey });
    fc.assert(
      fc.property(name, name, (a, b) => {
        const same = a.namespace === b.namespace && a.key === b.key;
        expect(keys.cacheEntry(id, 1, a) === keys.cacheEntry(id, 1, b)).toBe(same);
        expect(keyMember(a) === keyMember(b)).toBe(same);
      }),
    );
  });

  it('of two kinds of records are never the same', () => {
    const name = { namespace: 'ns', key: 'k' };
    const all = [keys.cacheEntry(id, 1, name), keys.limit(id, name), keys.tenantCall(id, name)];
    expect(new Set(all).size).toBe(3);
  });

  it('of two generations and two tenants are never the same', () => {
    const name = { namespace: 'ns', key: 'k' };
    const other = newTenantId(newUlid(1));
    const all = [keys.cacheEntry(id, 1, name), keys.cacheEntry(id, 2, name), keys.cacheEntry(other, 1, name)];
    expect(new Set(all).size).toBe(3);
    expect(new Set([keys.index(id, 1), keys.index(id, 2), keys.keptIndex(id)]).size).toBe(3);
  });

  it('hold no control character', () => {
    fc.assert(
      fc.property(callersKey, (key) => {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
        expect(keys.cacheEntry(id, 1, { namespace: 'ns', key })).not.toMatch(/[\x00-\x1f\x7f]/);
      }),
    );
  });
});

describe('members of the index', () => {
  it('say which record expires when, whatever its kind and name', () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom('c', 'l', 'i'), namespace, callersKey, (expiresAtMs, kind, ns, key) => {
        const name = { namespace: ns, key };
        expect(parseExpiryMember(expiryMember(name, expiresAtMs, kind))).toEqual({ expiresAtMs, kind, name });
      }),
    );
  });

  it('give a caller its key back', () => {
    fc.assert(
      fc.property(callersKey, (key) => {
        const [, , , escaped] = keyMember({ namespace: 'ns', key }).split('\0');
        expect(unescapeControls(escaped ?? '')).toBe(key);
      }),
    );
  });

  it.each(['', 'e', 'e\x00123', 'e\x00123\0c', 'e\x00123\0x\0ns\0key'])('%j is no expiry', (member) => {
    expect(() => parseExpiryMember(member)).toThrow(RangeError);
  });
});

describe('names of objects in S3 [P3 P6]', () => {
  const [object, session] = [newUlid(1), newUlid(2)];

  it('of a session name its tenant, themselves and the session', () => {
    const key = sessionBlob(id, object, session);
    expect(key).toBe(`sessions/spillover/${id}/${object}/session-${session}.session`);
    expect(tenantBlobPrefixes(id).some((prefix) => key.startsWith(prefix))).toBe(true);
  });

  it('are told by the members that doom them', () => {
    expect(doomedBlob(id, `d\0${'0'.repeat(13)}7\0${object}`)).toBe(cacheBlob(id, object));
    expect(doomedBlob(id, `d\0${'0'.repeat(13)}7\0${object}.${session}`)).toBe(sessionBlob(id, object, session));
  });

  it.each([
    `d\0${'0'.repeat(14)}\0${object}.`,
    `d\0${'0'.repeat(14)}\0.${session}`,
    `d\0${'0'.repeat(14)}\0${object}.${session}.${session}`,
    `d\0${'0'.repeat(14)}\0${object}/../x`,
    `d\0${'0'.repeat(13)}\0${object}`,
    `e\0${'0'.repeat(14)}\0${object}`,
    `d\0${'0'.repeat(14)}\0${object}\n`,
  ])('are not made of anything else: %j', (member) => {
    expect(doomedBlob(id, member)).toBeNull();
  });
});
