/** What a checkpoint says of a tenant, and what Redis has of it: read in two ways that have nothing in common. */
import { expect } from 'vitest';
import type { App } from '../../lib/app.ts';
import { parseHead } from '../../lib/cache/entry-format.ts';
import { type CheckpointRecord, orderOf } from '../../lib/checkpoints/format/checkpoint-line.ts';
import type { CheckpointManifest, CheckpointTenant } from '../../lib/checkpoints/format/manifest-schema.ts';
import { mergeRuns } from '../../lib/checkpoints/format/merged-run.ts';
import { readRun } from '../../lib/checkpoints/format/run-reader.ts';
import { createStateTools } from '../../lib/checkpoints/state-tools.ts';
import { unpackContextData } from '../../lib/gate/context-format.ts';
import { unpackLimits } from '../../lib/gate/gate-fields.ts';
import type { TenantId } from '../../lib/ids.ts';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { parseSessionHead } from '../../lib/sessions/session-format.ts';
import { gateState } from './gate-state.ts';
import { redisTimeMs } from './redis-time.ts';
import { keysOf } from './tenant-state.ts';

const READ = { kind: 'read' } as const;

/** Records by what lines are sorted by. */
export type View = ReadonlyMap<string, CheckpointRecord>;

/** What checkpoints are made of, over the ports of an app. */
export const stateToolsOn = (app: App, now = Date.now) =>
  createStateTools(
    {
      ...{ config: app.config, redis: app.redis, blobs: app.blobs, keys: keysOf(app), telemetry, now },
      ...{ dataKeys: app.dataKeys, tenantKeys: app.tenantKeys },
    } as unknown as Parameters<typeof createStateTools>[0],
    app.tenants,
  );

/** What the checkpoint has of a tenant, its runs merged. @throws as reading them does. */
export async function checkpointView(app: App, line: CheckpointTenant): Promise<View> {
  const context = unpackContextData((await gateState(app, line.tenant).read('x')) ?? '{}');
  const source = stateToolsOn(app).store.sourceOf(line.tenant, context);
  const runs = line.runs.map(({ epochs, objects }) => ({ epochs, lines: readRun(objects, source) }));
  const view = new Map<string, CheckpointRecord>();
  for await (const record of mergeRuns(runs)) {
    const order = orderOf(record);
    expect(view.has(order), 'a record is there once').toBe(false);
    view.set(order, record);
  }
  return view;
}

/** All of a tenant that can be seen now, read record by record. */
export async function redisView(app: App, id: TenantId): Promise<View> {
  const keys = keysOf(app);
  const { generation } = unpackLimits(await gateState(app, id).read('h'));
  const index = (await app.redis.send(['ZRANGE', keys.index(id, generation), 0, -1], READ)) as readonly string[];
  const members = index.filter((member) => /^k\0[cs]\0/.test(member));
  const isHidden = await hiding(app, id);
  const view = new Map<string, CheckpointRecord>();
  const types = await all(app, members, (key) => ['TYPE', key], id, generation);
  const stored = await all(app, members, (key, i) => [types[i] === 'hash' ? 'HGETALL' : 'GET', key], id, generation);
  for (const [i, member] of members.entries()) {
    const [, kind, first = '', rest = ''] = member.split('\0');
    const record = stored[i] as string | readonly string[] | null;
    // Removed since, by somebody who writes meanwhile.
    if (record === null || record.length === 0) continue;
    if (kind === 'c') {
      if (!isHidden(first, record as string))
        view.set(member.slice(2), { kind: 'cache', namespace: first, key: rest, stored: record as string });
    } else {
      const name = { kind: 'session', user: first, id: rest } as const;
      view.set(
        member.slice(2),
        typeof record === 'string' ? { ...name, stub: record } : { ...name, hash: fieldsOf(record) },
      );
    }
  }
  return view;
}

const all = async (
  app: App,
  members: readonly string[],
  command: (key: string, i: number) => readonly string[],
  id: TenantId,
  generation: number,
) =>
  members.length === 0
    ? []
    : app.redis.sendAll(
        members.map((member, i) => command(keysOf(app).listedRecord(id, generation, member), i) as never),
        READ,
      );

const fieldsOf = (flat: readonly string[]) =>
  Object.fromEntries(flat.flatMap((field, i) => (i % 2 === 0 ? [[field, flat[i + 1] as string]] : [])));

/** What is invalidated and not settled, as the gate says. */
async function hiding(app: App, id: TenantId): Promise<(namespace: string, stored: string) => boolean> {
  const gate = fieldsOf((await app.redis.send(['HGETALL', keysOf(app).gate(id)], READ)) as readonly string[]);
  const first = (field: string) => Number(/^(\d+),/.exec(gate[field] ?? '')?.[1] ?? 0);
  const everything = Number(/^v1,(\d+),/.exec(gate.v ?? '')?.[1] ?? 0);
  return (namespace, stored) => {
    const { head, meta } = parseHead(stored);
    const epochs = [everything, first(`n:${namespace}`), ...(meta.tags ?? []).map((tag) => first(`t:${tag}`))];
    return head.seq <= Math.max(...epochs);
  };
}

/** Whether it lives at that time, Unix ms. */
function lives(record: CheckpointRecord, nowMs: number): boolean {
  if (record.kind === 'cache') return (parseHead(record.stored).head.expiresAtMs ?? nowMs + 1) > nowMs;
  return parseSessionHead(headerOf(record)).expiresAtMs > nowMs;
}

export const headerOf = (record: Extract<CheckpointRecord, { kind: 'session' }>): string =>
  ('hash' in record ? (record.hash.h as string) : record.stub).split('\n')[0] as string;

/** Without what a checkpoint is not told of: when an entry was read last, and that a session's object could not be read. */
function comparable(record: CheckpointRecord): CheckpointRecord {
  if ('stored' in record && record.stored.startsWith('c2,'))
    return { ...record, stored: `c2,${record.stored.slice(20)}` };
  if ('stub' in record) return { ...record, stub: record.stub.replace(/,[-q]\n/, ',-\n') };
  return record;
}

/** Those that live, as they are compared. */
export const livingAt = (view: View, nowMs: number): Readonly<Record<string, CheckpointRecord>> =>
  Object.fromEntries(
    [...view].flatMap(([order, record]) => (lives(record, nowMs) ? [[order, comparable(record)]] : [])),
  );

/** Fails unless the checkpoint says of each tenant what is there now. Nothing may write meanwhile. @returns how many records. */
export async function expectCheckpointEquals(
  app: App,
  { tenants }: CheckpointManifest,
  ids: readonly TenantId[],
  what = 'the checkpoint',
): Promise<number> {
  let records = 0;
  for (const id of ids) {
    const line = tenants.find(({ tenant }) => tenant === id);
    if (line === undefined) throw new Error(`${what} has no line of a tenant`);
    const [said, found] = [await checkpointView(app, line), await redisView(app, id)];
    const nowMs = await redisTimeMs(app);
    const there = livingAt(found, nowMs);
    expect(livingAt(said, nowMs), what).toEqual(there);
    records += Object.keys(there).length;
  }
  return records;
}
