import { describe, expect, it } from 'vitest';
import { tenantSecret } from '../../lib/alerts/webhook-signature.ts';
import { webhookTarget } from '../../lib/alerts/webhook-target.ts';
import { isWebhookUrl } from '../../lib/alerts/webhook-url.ts';
import { resolveConfig } from '../../lib/config/resolve-config.ts';

const NEW = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const OLD = `whsec_${Buffer.alloc(24, 2).toString('base64')}`;
const config = (webhookUrl: string, ...webhookSecret: string[]) => ({ webhookUrl, webhookSecret, webhookTimeoutMs: 1 });

describe('an address of a webhook [T10]', () => {
  it.each([
    'https://hooks.example.com/a?b=c',
    'https://10.0.0.1:8443/',
    'http://localhost:3000/hook',
    'http://127.0.0.1/',
    'http://[::1]:9/',
  ])('may be %s', (url) => {
    expect(isWebhookUrl(url)).toBe(true);
  });

  it.each([
    '',
    'hooks.example.com',
    'http://hooks.example.com/',
    'http://localhost.example.com/',
    'http://127.0.0.1.example.com/',
    'ftp://127.0.0.1/',
    'file:///etc/passwd',
    'https://user:secret@hooks.example.com/',
    'https://user@hooks.example.com/',
    'https://hooks.example.com/#part',
    `https://hooks.example.com/${'x'.repeat(2_000)}`,
  ])('may not be %s', (url) => {
    expect(isWebhookUrl(url)).toBe(false);
  });
});

describe('where alerts go [T10]', () => {
  it("to the tenant's own address, signed with a secret of its own, the current one first", () => {
    expect(webhookTarget(config('https://all.test/', NEW, OLD), 'tenant-1', 'https://own.test/')).toEqual({
      url: 'https://own.test/',
      source: 'tenant',
      secrets: [tenantSecret(NEW, 'tenant-1'), tenantSecret(OLD, 'tenant-1')],
    });
  });

  it("else to the deployment's", () => {
    const target = { url: 'https://all.test/', source: 'deployment', secrets: [NEW] };
    expect(webhookTarget(config('https://all.test/', NEW), 'tenant-1', undefined)).toEqual(target);
    expect(webhookTarget(config('https://all.test/', NEW), 'tenant-1', null)).toEqual(target);
  });

  it('nowhere, and why', () => {
    expect(webhookTarget(config(''), 'tenant-1', undefined)).toBe('no_url');
    expect(webhookTarget(config(''), 'tenant-1', 'https://own.test/')).toBe('no_secret');
    expect(webhookTarget(config('', NEW), 'tenant-1', 'http://own.test/')).toBe('url_refused');
  });
});

describe('settings of alerts [T10 G6]', () => {
  const settings = async (env: Record<string, string>) =>
    resolveConfig({ env: { PERSISTENCE_ADMIN_KEY_SHA256: '0'.repeat(64), ...env }, readFile: () => '' });
  const URL = 'PERSISTENCE_ALERTS_WEBHOOK_URL';
  const SECRET = 'PERSISTENCE_ALERTS_WEBHOOK_SECRET';

  it('are read, several secrets while one is replaced', async () => {
    const { config } = await settings({ [URL]: 'https://all.test/a', [SECRET]: `${NEW}, ${OLD}` });
    expect(config?.alerts).toEqual({
      webhookUrl: 'https://all.test/a',
      webhookSecret: [NEW, OLD],
      webhookTimeoutMs: 5_000,
    });
    expect((await settings({})).config?.alerts).toMatchObject({ webhookUrl: '', webhookSecret: [] });
  });

  it.each([
    [{ [URL]: 'https://all.test/' }, 'alerts.webhook_secret'],
    [{ [URL]: 'http://all.test/', [SECRET]: NEW }, 'alerts.webhook_url'],
    [{ [SECRET]: 'whsec_short' }, 'alerts.webhook_secret'],
    [{ [SECRET]: NEW.slice(6) }, 'alerts.webhook_secret'],
  ])('are refused: %o', async (env, field) => {
    const { issues } = await settings(env as Record<string, string>);
    expect(issues.map((issue) => issue.field)).toEqual([field]);
    expect(JSON.stringify(issues)).not.toContain('all.test');
    expect(JSON.stringify(issues)).not.toContain(NEW.slice(6));
  });
});
