/** A cache that other services use, behind the one call all of them have. */

/** What JSON.parse gives: peers store documents, not bytes. */
export type JsonDocument = object;

/** `redis`: every hit is one from Redis. `memory-and-redis`: as their documentation recommends it. */
export type PeerLayers = 'redis' | 'memory-and-redis';

export interface Peer {
  /** The document under the key, or what `load` gives, which is stored for an hour. */
  getOrSet(key: string, load: () => Promise<JsonDocument>): Promise<JsonDocument>;
  close(): Promise<void>;
}

export interface PeerOptions {
  readonly redisUrl: string;
  readonly layers: PeerLayers;
}

export type CreatePeer = (options: PeerOptions) => Peer;

/** How long they keep a document, in milliseconds. */
export const PEER_TTL_MS = 3_600_000;
