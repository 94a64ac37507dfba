import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { signWebhook, tenantSecret, verifyWebhook, WEBHOOK_SECRET } from '../../lib/alerts/webhook-signature.ts';

/** The reference example of the standard's libraries. */
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const OTHER = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const REFERENCE = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', sentAtMs: 1_614_265_330_000, body: '{"test": 2432232314}' };

describe('signatures of Standard Webhooks [T10]', () => {
  it('are those of the reference example', () => {
    expect(signWebhook(REFERENCE, [SECRET])).toEqual({
      'webhook-id': REFERENCE.id,
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it('are those the published library makes', () => {
    const [id, body, at] = ['al-1', '{"ž":"\u{1f642}"}', new Date(1_795_000_000_000)];
    const headers = signWebhook({ id, body, sentAtMs: at.getTime() }, [OTHER]);
    expect(headers['webhook-signature']).toBe(new Webhook(OTHER).sign(id, at, body));
  });

  const message = () => ({ id: 'al-01', body: '{"type":"quota.threshold_reached"}', sentAtMs: Date.now() });

  it('pass the published library, with each secret while one is replaced', () => {
    const sent = message();
    const headers = signWebhook(sent, [OTHER, SECRET]);
    for (const secret of [OTHER, SECRET])
      expect(new Webhook(secret).verify(sent.body, headers)).toEqual(JSON.parse(sent.body));
    expect(() => new Webhook(tenantSecret(SECRET, 'tenant-1')).verify(sent.body, headers)).toThrow();
  });

  it('pass our own check, and nothing else does', () => {
    const sent = message();
    const headers = signWebhook(sent, [SECRET]);
    const check = (changes: object, body = sent.body, secret = SECRET, lateMs = 0) =>
      verifyWebhook({ headers: { ...headers, ...changes }, body }, secret, sent.sentAtMs + lateMs);
    expect(check({})).toBe(true);
    expect(check({}, `${sent.body} `)).toBe(false);
    expect(check({}, sent.body, OTHER)).toBe(false);
    expect(check({}, sent.body, SECRET, 301_000)).toBe(false);
    expect(check({}, sent.body, SECRET, -301_000)).toBe(false);
    expect(check({ 'webhook-id': 'al-02' })).toBe(false);
    expect(check({ 'webhook-id': undefined })).toBe(false);
    expect(check({ 'webhook-timestamp': `${Math.floor(sent.sentAtMs / 1000) + 1}` })).toBe(false);
    expect(check({ 'webhook-timestamp': 'now' })).toBe(false);
    expect(check({ 'webhook-signature': `v1a,x ${headers['webhook-signature']}` })).toBe(true);
    expect(check({ 'webhook-signature': 'v1,' })).toBe(false);
  });
});

describe("the secret of a tenant's own webhook [T10]", () => {
  it('is one of its own, made anew the same, and of the right form', () => {
    expect(tenantSecret(SECRET, 'tenant-1')).toBe(tenantSecret(SECRET, 'tenant-1'));
    expect(tenantSecret(SECRET, 'tenant-1')).not.toBe(tenantSecret(SECRET, 'tenant-2'));
    expect(tenantSecret(SECRET, 'tenant-1')).not.toBe(tenantSecret(OTHER, 'tenant-1'));
    expect(tenantSecret(SECRET, 'tenant-1')).toMatch(WEBHOOK_SECRET);
  });
});
