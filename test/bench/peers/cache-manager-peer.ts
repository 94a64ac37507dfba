/** cache-manager over keyv: memory, as its documentation recommends it, before keyv's adapter of Redis (over node-redis). */
import { createKeyv as createRedisKeyv } from '@keyv/redis';
import { createCache } from 'cache-manager';
import { createKeyv as createMemoryKeyv } from 'cacheable';
import { type CreatePeer, PEER_TTL_MS } from './peer.ts';

export const createCacheManagerPeer: CreatePeer = ({ redisUrl, layers }) => {
  const redis = createRedisKeyv(redisUrl, { namespace: 'bench:cache-manager' });
  const cache = createCache({ stores: layers === 'redis' ? [redis] : [createMemoryKeyv(), redis] });
  return {
    getOrSet: (key, load) => cache.wrap(key, load, PEER_TTL_MS),
    close: () => cache.disconnect(),
  };
};
