/** A hit of the peers' getOrSet beside ours: the same document on each side, parsed. */
import { measureLatency, type Rounds, type Side } from '../rounds.ts';
import { jsonOfBytes } from '../values.ts';
import type { JsonDocument, PeerOptions } from './peer.ts';
import { PEER_NAMES, type PeerName, startPeers } from './start-peers.ts';

export interface HitOptions extends PeerOptions {
  /** Of the document as JSON; at least 64. */
  readonly bytes: number;
  /** What gives {@link documentOf} the same bytes from the cache of ours. */
  readonly ours: () => Promise<JsonDocument>;
}

/** The document every side keeps. */
export const documentOf = (bytes: number): JsonDocument => JSON.parse(jsonOfBytes(bytes).toString());

/** Stores the document with each peer, then measures. @returns the p50 of each round, in µs. @throws {Error} a side missed. */
export async function measureHits({ bytes, ours, ...options }: HitOptions): Promise<Rounds<'ours' | PeerName>> {
  await using parts = new AsyncDisposableStack();
  const peers = startPeers(options, parts);
  const key = `hit-${bytes}`;
  const document = documentOf(bytes);
  for (const name of PEER_NAMES) await peers[name].getOrSet(key, async () => document);
  const hit = (name: PeerName): Side => {
    const load = () => Promise.reject(new Error(`${name} missed`));
    return () => peers[name].getOrSet(key, load);
  };
  const sides = {
    ours,
    bentocache: hit('bentocache'),
    cacheable: hit('cacheable'),
    'cache-manager': hit('cache-manager'),
  };
  for (const [name, side] of Object.entries(sides)) await checkDocument(name, side, document);
  // Awaited here: the peers are closed when this function ends.
  return await measureLatency(sides, { rounds: 15 });
}

async function checkDocument(name: string, side: Side, document: JsonDocument): Promise<void> {
  const given = JSON.stringify(await side());
  if (given !== JSON.stringify(document)) throw new Error(`${name} gave another document`);
}
