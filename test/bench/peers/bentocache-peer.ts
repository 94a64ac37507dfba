/** bentocache with its drivers of memory and Redis (over ioredis, as our driver); no bus, for one instance needs none. */
import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { redisDriver } from 'bentocache/drivers/redis';
import { type CreatePeer, PEER_TTL_MS } from './peer.ts';

export const createBentocachePeer: CreatePeer = ({ redisUrl, layers }) => {
  const l2 = redisDriver({ connection: redisConnection(redisUrl) });
  const store =
    layers === 'redis'
      ? bentostore().useL2Layer(l2)
      : bentostore()
          .useL1Layer(memoryDriver({ maxItems: 10_000 }))
          .useL2Layer(l2);
  const cache = new BentoCache({ default: 'bench', prefix: 'bench:bentocache', stores: { bench: store } });
  return {
    getOrSet: (key, load) => cache.getOrSet({ key, factory: load, ttl: PEER_TTL_MS }),
    close: () => cache.disconnectAll(),
  };
};

/** It knows no URLs. */
function redisConnection(redisUrl: string) {
  const { hostname, port, username, password } = new URL(redisUrl);
  const own = { host: hostname, port: Number(port) };
  return password === '' ? own : { ...own, username, password: decodeURIComponent(password) };
}
