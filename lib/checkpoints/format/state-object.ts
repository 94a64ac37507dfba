/** What administration knows of a tenant, as a data object of one frame with one line, JSON. */
import { CorruptValueError } from '../../errors.ts';
import { type CheckpointObject, MAX_LINE_BYTES } from './checkpoint-object.ts';
import { type ObjectSource, readFrames } from './frame-reader.ts';
import { createObjectWriter, type ObjectWriterDeps } from './object-writer.ts';

export type TenantState = Readonly<Record<string, unknown>>;

/** @throws {RangeError} it is too long. */
export async function writeState(state: TenantState, deps: ObjectWriterDeps): Promise<CheckpointObject> {
  const line = Buffer.from(`${JSON.stringify(state)}\n`);
  if (line.length > MAX_LINE_BYTES) throw new RangeError('The state of a tenant is too long');
  const writer = createObjectWriter(deps);
  await writer.add(line, 1);
  const [object] = await writer.close();
  return object as CheckpointObject;
}

/** @throws {CorruptValueError} as `readFrames`, and when there is not one JSON object. */
export async function readState(object: CheckpointObject, source: ObjectSource): Promise<TenantState> {
  const contents: Buffer[] = [];
  for await (const content of readFrames(object, source)) contents.push(content);
  try {
    const state: unknown = JSON.parse(Buffer.concat(contents).toString('utf8'));
    if (typeof state === 'object' && state !== null && !Array.isArray(state)) return state as TenantState;
  } catch {
    // Its message would quote what stands there.
  }
  throw new CorruptValueError('The state of a tenant in the checkpoint is not JSON');
}
