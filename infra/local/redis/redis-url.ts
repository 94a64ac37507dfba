/** A Redis that is not ours: the one REDIS_URL names. */
import { LocalServiceError } from '../../../lib/errors.ts';
import { askRedis } from './ask-redis.ts';

/** Without user and password: it is shown. */
const shown = (url: string) => new URL(url).host;

/** @returns `text` as it is. @throws {LocalServiceError} it is no address of a Redis; its secrets are not repeated. */
export function checkRedisUrl(text: string): string {
  if (URL.canParse(text) && /^rediss?:$/.test(new URL(text).protocol) && shown(text) !== '') return text;
  throw new LocalServiceError('REDIS_URL: expected redis://host:port, or rediss:// with TLS');
}

/** @returns what the person at the terminal should know when nobody answers there; null when a Redis does. */
export async function findRedisTrouble(url: string): Promise<string | null> {
  try {
    await askRedis(url, (redis) => redis.ping());
    return null;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return `No Redis answers at ${shown(url)} (REDIS_URL): ${reason}. Until one does, calls that need it get 503. Without REDIS_URL, npm start brings its own.`;
  }
}
