/** Sessions as the signed-in users of a shop have them, the same in every run. */
import type { NewSession } from '../../lib/sessions/session.ts';
import { metadataText } from '../../lib/sessions/session-rules.ts';
import { jsonOfBytes } from './values.ts';

/** What the rows say of it. */
export const SHAPE = 'user id, metadata, 3 data keys';

const METADATA = {
  client_ip: '203.0.113.77',
  user_agent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36',
  source: 'web',
};
const PREFERENCES = JSON.stringify({ language: 'en', currency: 'EUR', theme: 'dark', newsletter: false });
/** Tells sessions apart. */
const tokenOf = (user: number) => JSON.stringify(user.toString(16).padStart(32, '3f1c9a0e7b5d4286'));
const WITHOUT_CART = Buffer.byteLength(JSON.stringify(METADATA) + PREFERENCES + tokenOf(0));

const carts = new Map<number, string>();

/** Made once: sessions are made faster than products. */
function cartOf(bytes: number): string {
  const cart = carts.get(bytes) ?? jsonOfBytes(bytes).toString();
  carts.set(bytes, cart);
  return cart;
}

/** The session of a user. @param bytes of its metadata and texts together, at least 512. */
export const sessionOf = (user: number, bytes = 1_024): NewSession => ({
  userId: `user-${String(user).padStart(9, '0')}`,
  metadata: METADATA,
  data: new Map([
    ['cart', cartOf(bytes - WITHOUT_CART)],
    ['preferences', PREFERENCES],
    ['token', tokenOf(user)],
  ]),
});

/** The same as a program without Riptide would keep it in a hash of its own. */
export const rawFieldsOf = ({ userId, metadata, data = new Map() }: NewSession): Record<string, string> => ({
  user_id: userId ?? '',
  metadata: metadataText(metadata),
  ...Object.fromEntries(data),
});

/** Data keys and texts, as a session's memory counts them. */
export const dataBytesOf = ({ data = new Map() }: NewSession): number =>
  [...data].reduce((sum, [key, text]) => sum + Buffer.byteLength(key) + Buffer.byteLength(text), 0);
