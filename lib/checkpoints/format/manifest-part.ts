/**
 * What the steps of a running job have come to: parts, one for each step, NDJSON with the digest of it at the end. A tenant's lines
 * may be spread over several parts: where it began, the objects written since, and its end.
 */
import * as z from 'zod';
import { CorruptValueError } from '../../errors.ts';
import { CheckpointObject } from './checkpoint-object.ts';
import { checkedLines, withDigest } from './digested-text.ts';
import { bytesOf } from './manifest.ts';
import { CheckpointRun, CheckpointTenant, RecordCounts } from './manifest-schema.ts';

const { tenant, generation, epoch, seq, counters, state, state_of } = CheckpointTenant.unwrap().shape;

/** A tenant is begun. Begun again, what stands before of it does not count. */
const BegunTenant = z
  .strictObject({
    part: z.literal('begun'),
    tenant,
    generation,
    epoch,
    seq,
    counters,
    state,
    state_of,
    /** Taken over from the manifest before. */
    kept: z.array(CheckpointRun).readonly(),
    /** The run that is written, its objects left out; null: nothing changed. */
    run: CheckpointRun.unwrap().omit({ objects: true }).readonly().nullable(),
  })
  .readonly();

/** Objects of the run that is written, in their order. */
const WrittenObjects = z
  .strictObject({ part: z.literal('objects'), tenant, objects: z.array(CheckpointObject).readonly() })
  .readonly();

/** The run that is written has ended, and another one begins. */
const NextRun = z
  .strictObject({ part: z.literal('run'), tenant, run: CheckpointRun.unwrap().omit({ objects: true }).readonly() })
  .readonly();

/** All is written. */
const EndedTenant = z.strictObject({ part: z.literal('ended'), tenant, counts: RecordCounts }).readonly();

/** It is not there any more, nor in the checkpoint. */
const GoneTenant = z.strictObject({ part: z.literal('gone'), tenant }).readonly();

export const PartLine = z.discriminatedUnion('part', [BegunTenant, WrittenObjects, NextRun, EndedTenant, GoneTenant]);
export type PartLine = z.infer<typeof PartLine>;

/** As it is stored. */
export const encodePart = (lines: readonly PartLine[]): Buffer =>
  Buffer.from(withDigest(lines.map((line) => `${JSON.stringify(line)}\n`).join('')));

/** @throws {CorruptValueError} it is not what was written. */
export const decodePart = (bytes: Buffer): readonly PartLine[] => checkedLines(bytes.toString('utf8')).map(parseLine);

function parseLine(line: string): PartLine {
  const { success, data } = PartLine.safeParse(JSON.parse(line));
  if (!success) throw new CorruptValueError('A part of a checkpoint has a line that is not what it must be');
  return data;
}

/**
 * What parts come to, in the order of the steps: the tenants, as the manifest names them.
 * @throws {CorruptValueError} one has no beginning, or no end.
 */
export function joinParts(parts: Iterable<readonly PartLine[]>): readonly CheckpointTenant[] {
  const tenants = new Map<string, OpenTenant>();
  for (const line of parts) for (const each of line) take(tenants, each);
  return [...tenants.values()].map(closed);
}

interface OpenTenant {
  readonly begun: z.infer<typeof BegunTenant>;
  /** That have ended. */
  readonly runs: CheckpointRun[];
  run: Omit<CheckpointRun, 'objects'> | null;
  objects: CheckpointObject[];
  counts: RecordCounts | null;
}

function take(tenants: Map<string, OpenTenant>, line: PartLine): void {
  if (line.part === 'begun') {
    tenants.set(line.tenant, { begun: line, runs: [...line.kept], run: line.run, objects: [], counts: null });
    return;
  }
  if (line.part === 'gone') {
    tenants.delete(line.tenant);
    return;
  }
  const open = tenants.get(line.tenant);
  if (open === undefined || open.counts !== null) throw corrupt('go on with a tenant that was not begun');
  if (line.part === 'ended') open.counts = line.counts;
  else if (open.run === null) throw corrupt('have objects of a tenant that did not change');
  else if (line.part === 'objects') open.objects.push(...line.objects);
  else {
    open.runs.push({ ...open.run, objects: open.objects });
    open.run = line.run;
    open.objects = [];
  }
}

function closed({ begun, runs: ended, run, objects, counts }: OpenTenant): CheckpointTenant {
  if (counts === null) throw corrupt('do not end a tenant');
  const { part: _part, kept: _kept, run: _run, ...facts } = begun;
  const runs = run === null ? ended : [...ended, { ...run, objects }];
  if (runs.length === 0) throw corrupt('have no run of a tenant');
  return { ...facts, counts, bytes: bytesOf({ state: facts.state, runs }), runs };
}

const corrupt = (reason: string) => new CorruptValueError(`The parts of a checkpoint ${reason}`);
