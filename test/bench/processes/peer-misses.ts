/**
 * Callers of one peer that miss one key, as soon as all processes are ready; says how often this one loaded it.
 * Arguments: peer, Redis, layers, key, callers, processes.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { PeerLayers } from '../peers/peer.ts';
import { type PeerName, startPeer } from '../peers/start-peers.ts';

/** Much longer than the processes are apart at the start. */
const LOAD_MS = 500;

const [name, redisUrl = '', layers, key = '', callers, processes] = process.argv.slice(2);
await using parts = new AsyncDisposableStack();
const peer = startPeer(name as PeerName, { redisUrl, layers: layers as PeerLayers }, parts);
// The connection stands, and the code has run once.
await peer.getOrSet(`warm-${process.pid}`, async () => ({}));
await waitForOthers();

let loads = 0;
const load = async () => {
  loads++;
  await delay(LOAD_MS);
  return { loaded: true };
};
await Promise.all(Array.from({ length: Number(callers) }, () => peer.getOrSet(key, load)));
console.log(JSON.stringify(loads));

/** Whoever starts the process ends it when that takes too long. */
async function waitForOthers(): Promise<void> {
  const redis = new Redis(redisUrl);
  const ready = `bench:ready:${key}`;
  await redis.incr(ready);
  while (Number(await redis.get(ready)) < Number(processes)) await delay(2);
  redis.disconnect();
}
