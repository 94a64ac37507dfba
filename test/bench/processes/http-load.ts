/**
 * Loads a server over kept-alive connections, each with one request under way; arguments are the URL and the
 * milliseconds. Says requests per second. It writes prepared bytes and counts replies by their length: a full HTTP client
 * would need more CPU than the server it measures.
 */
import { connect } from 'node:net';

const CONNECTIONS = 16;
const WARM_UP_MS = 150;

const [url = '', blockMs = '0'] = process.argv.slice(2);
const { hostname, port, pathname, host } = new URL(url);
const REQUEST = Buffer.from(`GET ${pathname} HTTP/1.1\r\nhost: ${host}\r\naccept: */*\r\n\r\n`);

let replies = 0;

function load(): void {
  const socket = connect({ host: hostname, port: Number(port), noDelay: true }, () => socket.write(REQUEST));
  let pending = '';
  socket.on('data', (chunk) => {
    pending += chunk.toString('latin1');
    if (pending.length < replyLength(pending)) return;
    if (!pending.startsWith('HTTP/1.1 200 ')) throw new Error(`The server answered ${pending.slice(0, 200)}`);
    pending = '';
    replies++;
    socket.write(REQUEST);
  });
}

/** Bytes of the whole reply; infinite until its head is there. */
function replyLength(text: string): number {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return Number.POSITIVE_INFINITY;
  const length = /content-length: (\d+)/i.exec(text)?.[1];
  if (length !== undefined) return headEnd + 4 + Number(length);
  return text.endsWith('0\r\n\r\n') ? text.length : Number.POSITIVE_INFINITY;
}

for (let count = 0; count < CONNECTIONS; count++) load();
setTimeout(() => {
  replies = 0;
  const startedAt = performance.now();
  setTimeout(() => {
    console.log(JSON.stringify((replies * 1000) / (performance.now() - startedAt)));
    process.exit(0);
  }, Number(blockMs));
}, WARM_UP_MS);
