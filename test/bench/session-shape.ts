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
const TOKEN = JSON.stringify('3f1c9a0e7b5d42868f0a6c1e9d7b3520');
const WITHOUT_CART = Buffer.byteLength(JSON.stringify(METADATA) + PREFERENCES + TOKEN);

/** The session of a user. @param bytes of its metadata and texts together, at least 512. */
export const sessionOf = (user: number, bytes = 1_024): NewSession => ({
  userId: `user-${String(user).padStart(9, '0')}`,
  metadata: METADATA,
  data: new Map([
    ['cart', jsonOfBytes(bytes - WITHOUT_CART).toString()],
    ['preferences', PREFERENCES],
    ['token', TOKEN],
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
