/** What an address of a webhook may be. Only administrators set them. */

export const MAX_WEBHOOK_URL = 2_000;

export const WEBHOOK_URL_EXPECTED = `https:// and a host (http:// only to this machine), no user or password, at most ${MAX_WEBHOOK_URL} characters`;

/**
 * Https, because alerts name tenants and how much they use; http only to loopback, for development. No credentials: they
 * would be shown wherever the address is. A fragment is never sent, so it is a mistake.
 */
export function isWebhookUrl(text: string): boolean {
  const url = text.length <= MAX_WEBHOOK_URL ? URL.parse(text) : null;
  if (url === null || url.hostname === '' || url.username !== '' || url.password !== '' || url.hash !== '')
    return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
}

/** The parser has made all spellings of an address one: `127.1` and `0x7f.1` are `127.0.0.1`. */
const isLoopback = (host: string) => host === 'localhost' || host === '[::1]' || /^127(\.\d+){3}$/.test(host);
