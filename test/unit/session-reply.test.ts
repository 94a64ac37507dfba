import { describe, expect, it } from 'vitest';
import { newSessionId, newUlid, parseSessionId, parseTenantId, type TenantId, ulidTimeMs } from '../../lib/ids.ts';
import { toPage } from '../../lib/sessions/http/session-reply.ts';
import type { SessionInfo } from '../../lib/sessions/session.ts';
import { derivedSessionId, operationSessionId } from '../../lib/sessions/session-ids.ts';

const NOW_MS = 1_795_319_760_000;
const TENANT = parseTenantId(`tenant-${newUlid(NOW_MS)}`) as TenantId;

const session = (agentCharacters: number): SessionInfo => ({
  id: newSessionId(NOW_MS),
  userId: 'ada',
  version: 1,
  createdAtMs: NOW_MS,
  lastAccessedAtMs: NOW_MS,
  expiresAtMs: NOW_MS,
  absoluteEndMs: NOW_MS,
  ttlMs: 1_000,
  metadata: { user_agent: 'x'.repeat(agentCharacters) },
  dataBytes: 0,
  tier: 'hot',
});

describe('a page of sessions [S4 A14]', () => {
  it('that fits is whole, with its own cursor', () => {
    const items = [session(10), session(10)];
    expect(toPage({ items, nextCursor: 'next' })).toMatchObject({
      items: items.map(({ id }) => ({ id })),
      next_cursor: 'next',
    });
    expect(toPage({ items: [], nextCursor: null })).toEqual({ items: [], next_cursor: null });
  });

  it('that would be too large for a reply ends earlier, and the next begins there', () => {
    const items = [session(900), session(900), session(900)];
    const page = toPage({ items, nextCursor: null }, 4_000);
    expect(page.items.map(({ id }) => id)).toEqual(items.slice(0, 2).map(({ id }) => id));
    expect(page.next_cursor).toBe(parseSessionId(items[1]?.id ?? '')?.ulid);
    expect(JSON.stringify(page).length).toBeLessThan(4_000);
    expect(toPage({ items, nextCursor: null }, 0).items).toHaveLength(1);
  });
});

describe('the id an operation makes [S1 S4]', () => {
  it('is the same each time, of the time of the operation, and of this tenant and deployment', () => {
    const operation = newUlid(NOW_MS);
    const id = operationSessionId('secret', TENANT, operation);
    const { ulid, secret } = parseSessionId(id) ?? { ulid: '', secret: '' };
    expect(operationSessionId('secret', TENANT, operation)).toBe(id);
    expect(ulidTimeMs(ulid)).toBe(NOW_MS);
    expect(ulid.slice(10)).not.toBe(operation.slice(10));
    const others = [
      operationSessionId('other', TENANT, operation),
      operationSessionId('secret', `tenant-${newUlid(NOW_MS)}` as TenantId, operation),
      operationSessionId('secret', TENANT, newUlid(NOW_MS)),
    ].map((other) => parseSessionId(other));
    for (const other of others) {
      expect(other?.ulid).not.toBe(ulid);
      expect(other?.secret).not.toBe(secret);
    }
  });

  it('may be made from any name', () => {
    expect(operationSessionId('secret', TENANT, 'a name')).toBe(derivedSessionId('secret', TENANT, 'a name'));
  });
});
