/** Reads jobs: one, or a page of them. */
import type { TenantId } from '../ids.ts';
import type { Keys } from '../keys.ts';
import type { RedisDriver } from '../redis/driver.ts';
import { readTogether } from '../redis/read-together.ts';
import type { JobStatus } from './contract.ts';
import type { Job } from './job.ts';
import { unpackJob } from './job-format.ts';

export type JobReader = ReturnType<typeof createJobReader>;

export interface JobQuery {
  /** 100 at most. */
  readonly limit: number;
  /** Of the page before. */
  readonly cursor?: string | undefined;
  readonly status?: JobStatus | undefined;
  readonly tenantId?: TenantId | undefined;
}

export interface JobPage {
  readonly items: readonly Job[];
  /** Null: there is no more. A page may be short and still have one. */
  readonly nextCursor: string | null;
}

export function createJobReader({ redis, keys }: { readonly redis: RedisDriver; readonly keys: Keys }) {
  return {
    /** One round trip. @returns null: no such job. */
    async find(id: string, signal?: AbortSignal): Promise<Job | null> {
      const text = await redis.send(['GET', keys.job(id)], { kind: 'read', signal });
      return typeof text === 'string' ? unpackJob(text) : null;
    },

    /** Newest first. Two round trips. A job whose status changes between them is left out. */
    async list({ limit, cursor, status, tenantId }: JobQuery, signal?: AbortSignal): Promise<JobPage> {
      const prefix = prefixOf({ status, tenantId });
      // A prefix ends with NUL, and nothing stands between it and the same with \1.
      const from = cursor === undefined ? `(${prefix.slice(0, -1)}\x01` : `(${prefix}${cursor}`;
      const page = ['ZRANGE', keys.jobIndex(), from, `[${prefix}`, 'BYLEX', 'REV', 'LIMIT', 0, limit + 1] as const;
      const members = (await redis.send(page, { kind: 'read', signal })) as readonly string[];
      const ids = members.slice(0, limit).map((member) => member.slice(prefix.length));
      const texts = await readTogether(
        redis,
        ids.map((id) => ['GET', keys.job(id)] as const),
        { signal, name: 'read-jobs' },
      );
      const items = texts.flatMap((text) => (typeof text === 'string' ? readable(text) : []));
      return {
        items: items.filter((job) => status === undefined || job.status === status),
        nextCursor: members.length > limit ? (ids.at(-1) ?? null) : null,
      };
    },
  };
}

/** A damaged one hides no others; to ask for it alone says that it is. */
function readable(text: string): readonly Job[] {
  try {
    return [unpackJob(text)];
  } catch {
    return [];
  }
}

/** What the index's members begin with: redis/scripts/includes/job.lua. */
function prefixOf({ status, tenantId }: Pick<JobQuery, 'status' | 'tenantId'>): string {
  if (tenantId !== undefined) return status === undefined ? `t\0${tenantId}\0` : `b\0${tenantId}\0${status}\0`;
  return status === undefined ? 'a\0' : `s\0${status}\0`;
}
