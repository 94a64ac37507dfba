/** Sessions of a tenant moved to S3 when a test wants it, and as if time had passed. */
import type { App } from '../../lib/app.ts';
import type { TenantId } from '../../lib/ids.ts';
import { sessionBlobPrefix } from '../../lib/keys.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { parseSessionHead } from '../../lib/sessions/session-format.ts';
import { sessionParts } from '../../lib/sessions/session-ids.ts';
import { createSpillTools } from '../../lib/sessions/spillover/spill-tools.ts';
import { letDoomedFallDue } from './cache-blobs.ts';
import { keysOf, tenantState } from './tenant-state.ts';

const READ = { kind: 'read' } as const;
const WRITE = { kind: 'write' } as const;
/** As a header has it. */
const FIRST_MS = '00000000001';

type Asked = Pick<App, 'config' | 'redis' | 'blobs'>;

/** JSON texts by key. */
export const texts = (data: Readonly<Record<string, unknown>>): Map<string, string> =>
  new Map(Object.entries(data).map(([key, value]) => [key, JSON.stringify(value)]));

/** What moves sessions, over the ports of an app. */
export const spillToolsOn = (app: Asked) =>
  createSpillTools({
    redis: app.redis,
    blobs: app.blobs,
    keys: keysOf(app),
    config: app.config,
    telemetry,
    now: Date.now,
    evict: async () => false,
    runNow: { spillSessions: async () => {} },
  });

/** All of a tenant's sessions, of a tenant in its first generation. */
export const spillAll = (app: Asked, id: TenantId) =>
  spillToolsOn(app).spiller.spillTo({ id, generation: 1 }, 0, { maxBatches: 1_000 });

/** Objects of its sessions, those to be deleted included. */
export async function sessionObjects(app: Asked, id: TenantId): Promise<readonly string[]> {
  const found: string[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await app.blobs.list({ prefix: sessionBlobPrefix(id), cursor });
    found.push(...page.items.map(({ key }) => key));
    if (page.nextCursor === null) return found;
    cursor = page.nextCursor;
  }
}

/** As if the time of all objects that nothing uses had passed. @returns those that are left. */
export async function collectObjects(app: App, id: TenantId): Promise<readonly string[]> {
  await letDoomedFallDue(app, keysOf(app), id);
  await app.cleanUp.run();
  return sessionObjects(app, id);
}

/** As if the time of whoever spills or restores it had passed. */
export async function endClaims(app: Asked, id: TenantId, sessions: readonly string[]): Promise<void> {
  const keys = sessions.map((session) => keysOf(app).sessionClaim(id, 1, sessionParts(session).ulid));
  await app.redis.send(['DEL', ...keys], WRITE);
}

/** As if it had been used last so long ago that it is over; what is indexed moves with it. */
export async function letExpire(app: Asked, id: TenantId, session: string): Promise<void> {
  const keys = keysOf(app);
  const { ulid } = sessionParts(session);
  const record = keys.session(id, 1, ulid);
  const cold = (await app.redis.send(['TYPE', record], READ)) === 'string';
  const text = (await app.redis.send(cold ? ['GET', record] : ['HGET', record, 'h'], READ)) as string;
  const past = `${text.slice(0, 3)}${FIRST_MS}${text.slice(3 + FIRST_MS.length)}`;
  const expiry = (header: string) => {
    const { expiresAtMs } = parseSessionHead(header.split('\n')[0] as string);
    return `e\0${String(expiresAtMs).padStart(14, '0')}\0s\0\0${ulid}`;
  };
  const access = (header: string) => `r\0${header.slice(3, 3 + FIRST_MS.length)}\0${ulid}`;
  const index = keys.index(id, 1);
  await app.redis.sendAll(
    [
      cold ? ['SET', record, past] : ['HSET', record, 'h', past],
      ['ZREM', index, expiry(text), access(text)],
      cold ? ['ZADD', index, 0, expiry(past)] : ['ZADD', index, 0, expiry(past), 0, access(past)],
    ],
    WRITE,
  );
}

/** As if so much time had passed for all tombstones. */
export async function letTombstonesEnd(app: Asked, id: TenantId): Promise<void> {
  const dead = keysOf(app).deadSessions(id);
  const members = (await app.redis.send(['ZRANGE', dead, 0, -1], READ)) as readonly string[];
  for (const member of members) await app.redis.send(['ZADD', dead, 1, member], WRITE);
}

/** Members of a tenant's index about objects to be deleted. */
export async function doomedSessions(app: Asked, id: TenantId): Promise<readonly string[]> {
  const index = (await tenantState(app, id)).index as readonly string[];
  return index.filter((member) => /^d\0\d{14}\0\w{26}\.\w{26}$/.test(member));
}
