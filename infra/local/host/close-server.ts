/** Closes an HTTP server without cutting off who is being served. */
import type { FastifyInstance } from 'fastify';
import type { UnderWay } from './under-way.ts';

/** How often connections that have become idle are looked for. */
const SWEEP_MS = 20;

/**
 * Takes no more connections, and no more requests on those there are; ends when the last one was answered, or cuts the rest off
 * when `signal` aborts. @returns how many ended in time, and how many did not.
 */
export async function closeServer(app: FastifyInstance, underWay: UnderWay, signal: AbortSignal) {
  const drained = underWay.drain(signal);
  const closed = app.close();
  // A kept-alive connection becomes idle only when its request ends: close those, too.
  const sweep = setInterval(() => app.server.closeIdleConnections(), SWEEP_MS);
  try {
    const counts = await drained;
    // Also one whose request has not come as a whole: it was not begun.
    app.server.closeAllConnections();
    await closed;
    return counts;
  } finally {
    clearInterval(sweep);
  }
}
