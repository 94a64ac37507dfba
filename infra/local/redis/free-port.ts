/** A free TCP port of the loopback, for servers that cannot choose one themselves and tell. */
import { createServer } from 'node:net';

/** A port nobody listens on now. Somebody may take it before it is used: whoever starts a server on it tries again. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
