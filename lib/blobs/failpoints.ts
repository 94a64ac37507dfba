/** The failpoints of redis/failpoints.ts, around a blob store. */
import type { FailpointHook } from '../redis/failpoints.ts';
import type { BlobStore } from './store.ts';

/** The same store, with a failpoint before and after every call; `after` only when the call went well. */
export function withBlobFailpoints(store: BlobStore, hook: FailpointHook): BlobStore {
  const around = async <T>(name: keyof BlobStore, call: () => Promise<T>): Promise<T> => {
    await hook({ port: 'blobs', name, phase: 'before' });
    const outcome = await call();
    await hook({ port: 'blobs', name, phase: 'after' });
    return outcome;
  };
  return {
    put: (blob, options) => around('put', () => store.put(blob, options)),
    get: (key, options) => around('get', () => store.get(key, options)),
    head: (key, options) => around('head', () => store.head(key, options)),
    list: (page, options) => around('list', () => store.list(page, options)),
    delete: (keys, options) => around('delete', () => store.delete(keys, options)),
    presignPut: (put, options) => around('presignPut', () => store.presignPut(put, options)),
    presignGet: (get, options) => around('presignGet', () => store.presignGet(get, options)),
    ping: (options) => around('ping', () => store.ping(options)),
  };
}
