/** cacheable with its memory before keyv's adapter of Redis (over node-redis). */
import { createKeyv } from '@keyv/redis';
import { Cacheable } from 'cacheable';
import { type CreatePeer, PEER_TTL_MS } from './peer.ts';

export const createCacheablePeer: CreatePeer = ({ redisUrl, layers }) => {
  const redis = createKeyv(redisUrl, { namespace: 'bench:cacheable' });
  // Without a primary it has memory as one.
  const cache = new Cacheable(layers === 'redis' ? { primary: redis } : { secondary: redis });
  return {
    async getOrSet(key, load) {
      const document = await cache.getOrSet(key, load, { ttl: PEER_TTL_MS });
      if (document === undefined) throw new Error('cacheable gave no document');
      return document;
    },
    close: () => cache.disconnect(),
  };
};
