/** All the peers, by name. */
import { createBentocachePeer } from './bentocache-peer.ts';
import { createCacheManagerPeer } from './cache-manager-peer.ts';
import { createCacheablePeer } from './cacheable-peer.ts';
import type { CreatePeer, Peer, PeerOptions } from './peer.ts';

export const PEER_NAMES = ['bentocache', 'cacheable', 'cache-manager'] as const;
export type PeerName = (typeof PEER_NAMES)[number];

const CREATE: Readonly<Record<PeerName, CreatePeer>> = {
  bentocache: createBentocachePeer,
  cacheable: createCacheablePeer,
  'cache-manager': createCacheManagerPeer,
};

/** One of them; it is closed with `parts`. */
export function startPeer(name: PeerName, options: PeerOptions, parts: AsyncDisposableStack): Peer {
  const peer = CREATE[name](options);
  parts.defer(() => peer.close());
  return peer;
}

/** Each of them on a connection of its own. */
export function startPeers(options: PeerOptions, parts: AsyncDisposableStack): Readonly<Record<PeerName, Peer>> {
  const start = (name: PeerName) => startPeer(name, options, parts);
  return {
    bentocache: start('bentocache'),
    cacheable: start('cacheable'),
    'cache-manager': start('cache-manager'),
  };
}
