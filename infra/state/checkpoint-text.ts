/** Checkpoints as they are shown in a terminal. */
import type * as z from 'zod';
import { type CheckpointListResponse, CheckpointResponse } from '../../lib/checkpoints/http/checkpoint-contract.ts';
import { ageText, bytesText, countText, durationText, manyText, tableText, timeText } from './amount-text.ts';

/** What there is of how many tenants. */
export const holdingsText = (entries: number, sessions: number, tenants: number): string =>
  `${manyText(entries, 'cache entry', 'cache entries')} and ${manyText(sessions, 'session')} of ${manyText(tenants, 'tenant')}`;

/** One line each, newest first. */
export function listText({ items, next_cursor }: CheckpointListResponse, nowMs: number): string {
  if (items.length === 0) return 'There are no checkpoints.';
  const rows = items.map((item) =>
    item.readable
      ? [
          item.id,
          item.type ?? '',
          ageText(item.started_at ?? '', nowMs),
          countText(item.tenants ?? 0),
          countText(item.cache_entries ?? 0),
          countText(item.sessions ?? 0),
          bytesText(item.bytes ?? 0),
          bytesText(item.new_bytes ?? 0),
          item.description ?? '',
        ]
      : [item.id, 'UNREADABLE', '', '', '', '', '', '', item.problem ?? ''],
  );
  const head = ['Checkpoint', 'type', 'taken', 'tenants', 'cache', 'sessions', 'bytes', 'new', ''];
  const table = tableText([head, ...rows], [3, 4, 5, 6, 7]);
  return next_cursor === null ? table : `${table}\nThere are more: --limit.`;
}

/** All that is known of one. */
export function checkpointText(checkpoint: CheckpointResponse, nowMs: number): string {
  const { id, type, description, started_at, took_ms, base, cache, config_version } = checkpoint;
  const facts = [
    ['Checkpoint', `${id}  (${type})`],
    ...(description === null ? [] : [['For', description]]),
    ['Taken', `${timeText(started_at)} UTC, ${ageText(started_at, nowMs)}; took ${durationText(took_ms)}`],
    [
      'Holds',
      `${holdingsText(checkpoint.cache_entries, checkpoint.sessions, checkpoint.tenants)}${cache ? '' : '; the cache was left out'}`,
    ],
    [
      'Bytes',
      `${bytesText(checkpoint.bytes)} packed, ${bytesText(checkpoint.raw_bytes)} unpacked; ${bytesText(checkpoint.new_bytes)} were new`,
    ],
    ['Shares', base === null ? 'nothing' : `objects of ${base}`],
    ['Config', config_version === null ? 'no version' : `version ${config_version}`],
    ['Verified', verifiedText(checkpoint.verified, nowMs)],
  ];
  const rows = checkpoint.tenant_items.map(({ tenant_id, cache_entries, sessions, bytes, runs }) => [
    tenant_id,
    countText(cache_entries),
    countText(sessions),
    bytesText(bytes),
    String(runs),
  ]);
  const tenants = tableText([['Tenant', 'cache', 'sessions', 'bytes', 'runs'], ...rows], [1, 2, 3, 4]);
  const more = checkpoint.next_cursor === null ? '' : '\nThere are more: --tenant shows one.';
  return `${tableText(facts)}\n\n${tenants}${more}`;
}

function verifiedText(verified: CheckpointResponse['verified'], nowMs: number): string {
  if (verified === null) return 'not yet';
  const { ok, at, objects, damaged } = verified;
  return ok
    ? `sound, ${ageText(at, nowMs)}: ${manyText(objects, 'object')}`
    : `DAMAGED, ${ageText(at, nowMs)}: ${countText(damaged)} of ${countText(objects)} objects cannot be used`;
}

/** Result of the job that verifies: what the checkpoint then says as `verified`, but for the time. */
export const VerifyReport = CheckpointResponse.shape.verified.unwrap().omit({ at: true });
export type VerifyReport = z.output<typeof VerifyReport>;

/** What verifying has found. */
export function verdictText(found: VerifyReport): string {
  const { ok, objects, frames, bytes, damaged, erased, problems } = found;
  const read = `${manyText(objects, 'object')}, ${manyText(frames, 'frame')}, ${bytesText(bytes)}`;
  const gone = erased > 0 ? `\nErased since, and left out: ${manyText(erased, 'tenant')}.` : '';
  if (ok) return `SOUND: ${read}${gone}`;
  const rows = problems.map(({ tenant_id, object, reason }) => [tenant_id ?? 'manifest', object ?? '', reason]);
  const more = damaged > problems.length ? `\nand ${countText(damaged - problems.length)} more` : '';
  return `DAMAGED: ${countText(damaged)} of ${read}\n${tableText(rows)}${more}${gone}`;
}
