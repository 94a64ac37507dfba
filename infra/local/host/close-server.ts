/** Closes an HTTP server without cutting off who is being served. */
import type { FastifyInstance } from 'fastify';

/** How often connections that have become idle are looked for. */
const SWEEP_MS = 20;

/** Takes no more connections; ends when the last request was answered, or cuts the rest off after `deadlineMs`. */
export async function closeServer(app: FastifyInstance, deadlineMs: number): Promise<void> {
  const closed = app.close();
  // A kept-alive connection becomes idle only when its request ends: close those, too.
  const sweep = setInterval(() => app.server.closeIdleConnections(), SWEEP_MS);
  const deadline = setTimeout(() => app.server.closeAllConnections(), deadlineMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(deadline);
}
