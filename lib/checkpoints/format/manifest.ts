/**
 * The manifest of a checkpoint: one LZ4 frame (`lz4 -d` opens it) of NDJSON: the header, a line for each tenant, and the digest
 * of it all. It is whole: whatever it needs is named in it.
 */
import type * as z from 'zod';
import { loadLz4 } from '../../blobs/lz4.ts';
import { contentBytesOf } from '../../blobs/lz4-frame.ts';
import { CheckpointFormatError, CorruptValueError } from '../../errors.ts';
import type { TenantId } from '../../ids.ts';
import type { CheckpointObject } from './checkpoint-object.ts';
import { checkedLines, withDigest } from './digested-text.ts';
import {
  type CheckpointFacts,
  CheckpointHeader,
  type CheckpointManifest,
  CheckpointTenant,
  MANIFEST_FORMAT,
} from './manifest-schema.ts';

/** Of its lines. About 100,000 tenants, or 1.5 TB of data. */
export const MAX_MANIFEST_BYTES = 64 * 1024 * 1024;

/** The manifest of these tenants, whatever their order; it adds up what there is. */
export function buildManifest(facts: CheckpointFacts, tenants: readonly CheckpointTenant[]): CheckpointManifest {
  const sorted = tenants.toSorted((a, b) => (a.tenant < b.tenant ? -1 : 1));
  return { header: { format: MANIFEST_FORMAT, ...facts, ...totalsOf(sorted) }, tenants: sorted };
}

/** As it is stored. @throws {RangeError} it is too long, or what it says cannot be. */
export async function encodeManifest({ header, tenants }: CheckpointManifest): Promise<Buffer> {
  requireSound({ header, tenants }, (reason) => new RangeError(`Not a manifest: ${reason}`));
  const lines = [header, ...tenants].map((line) => `${JSON.stringify(line)}\n`).join('');
  const raw = Buffer.from(withDigest(lines));
  if (raw.length > MAX_MANIFEST_BYTES) throw new RangeError('The manifest of a checkpoint is too long');
  return (await loadLz4()).compressInTurns(raw);
}

/**
 * Undoes {@link encodeManifest}, and checks everything that can be checked without the objects.
 * @throws {CheckpointFormatError} a newer version wrote it. @throws {CorruptValueError} it is not what was written.
 */
export async function decodeManifest(bytes: Buffer): Promise<CheckpointManifest> {
  const lines = await linesOf(bytes);
  const manifest = {
    header: headerOf(lines),
    tenants: lines.slice(1).map((line) => parseAs(CheckpointTenant, parseJson(line))),
  };
  requireSound(manifest, corrupt);
  return manifest;
}

/** The objects of a tenant, in no order that matters. */
export const objectsOf = ({ state, runs }: CheckpointTenant): readonly CheckpointObject[] => [
  ...(state === null ? [] : [state]),
  ...runs.flatMap(({ objects }) => objects),
];

/** Bytes of all objects of a tenant: what its line says as `bytes`. */
export const bytesOf = (tenant: Pick<CheckpointTenant, 'state' | 'runs'>): number =>
  objectsOf(tenant as CheckpointTenant).reduce((sum, { bytes }) => sum + bytes, 0);

/** Every object a manifest names. */
export function* namedObjects({ tenants }: CheckpointManifest): Generator<{ tenant: TenantId; name: string }> {
  for (const line of tenants) for (const { name } of objectsOf(line)) yield { tenant: line.tenant, name };
}

async function linesOf(bytes: Buffer): Promise<readonly string[]> {
  const contentBytes = contentBytesOf(bytes);
  if (contentBytes > MAX_MANIFEST_BYTES) throw corrupt('it says it is longer than manifests may be');
  const content = await (await loadLz4()).decompressInTurns(bytes, contentBytes);
  return checkedLines(content.toString('utf8'));
}

function headerOf([first = '']: readonly string[]): CheckpointHeader {
  const line = parseJson(first);
  const { format } = (line ?? {}) as { readonly format?: unknown };
  if (typeof format === 'string' && format !== MANIFEST_FORMAT)
    throw new CheckpointFormatError('The checkpoint is of a format that this version does not know');
  return parseAs(CheckpointHeader, line);
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw corrupt('a line is not JSON');
  }
}

function parseAs<T>(schema: z.ZodType<T>, line: unknown): T {
  const { success, data } = schema.safeParse(line);
  if (!success) throw corrupt('a line is not what it must be');
  return data;
}

function totalsOf(tenants: readonly CheckpointTenant[]) {
  const sum = (of: (tenant: CheckpointTenant) => number) => tenants.reduce((total, each) => total + of(each), 0);
  const rawBytes = ({ frames }: CheckpointObject) => frames.reduce((total, frame) => total + frame.raw_bytes, 0);
  return {
    tenants: tenants.length,
    counts: { cache: sum(({ counts }) => counts.cache), session: sum(({ counts }) => counts.session) },
    bytes: sum(bytesOf),
    raw_bytes: sum((tenant) => objectsOf(tenant).reduce((total, object) => total + rawBytes(object), 0)),
  };
}

/** What lines say together. */
function requireSound({ header, tenants }: CheckpointManifest, wrong: (reason: string) => Error): void {
  if (tenants.some(({ tenant }, at) => at > 0 && tenant <= (tenants[at - 1] as CheckpointTenant).tenant))
    throw wrong('its tenants are out of order');
  if (tenants.some((tenant) => tenant.bytes !== bytesOf(tenant))) throw wrong('a tenant does not add up');
  const { tenants: count, counts, bytes, raw_bytes } = totalsOf(tenants);
  const { counts: said } = header;
  const addsUp =
    header.tenants === count &&
    said.cache === counts.cache &&
    said.session === counts.session &&
    header.bytes === bytes &&
    header.raw_bytes === raw_bytes &&
    header.new_bytes <= bytes;
  if (!addsUp) throw wrong('it does not add up');
  if (tenants.some(namesTwice)) throw wrong('it names an object twice');
}

const namesTwice = (tenant: CheckpointTenant): boolean => {
  const names = objectsOf(tenant).map(({ name }) => name);
  return new Set(names).size < names.length;
};

const corrupt = (reason: string) => new CorruptValueError(`The manifest of a checkpoint cannot be used: ${reason}`);
