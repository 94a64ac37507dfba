import { describe, expect, it } from 'vitest';
import { corsHeaders } from '../../lib/http/cors.ts';

const from = (origin: string | undefined) => ({ headers: { origin } });
const APP = 'https://app.example.com';

describe('CORS [A14]', () => {
  it('allows nobody when no origin is configured', () => {
    expect(corsHeaders(from(APP), [])).toEqual({});
  });

  it('allows the configured origin, and no other', () => {
    expect(corsHeaders(from(APP), [APP])['access-control-allow-origin']).toBe(APP);
    const others = [
      'https://app.example.com.evil.test',
      'https://evil.test',
      'http://app.example.com',
      'null',
      '',
      '*',
    ];
    for (const other of others) expect(corsHeaders(from(other), [APP])).toEqual({ vary: 'origin' });
  });

  it('allows any when * is configured, and never credentials', () => {
    for (const allowed of [['*'], ['*', APP], [APP]]) {
      const headers = corsHeaders(from(APP), allowed);
      expect(headers['access-control-allow-origin']).toBe(allowed.includes('*') ? '*' : APP);
      expect(headers).not.toHaveProperty('access-control-allow-credentials');
    }
  });

  it('adds nothing where no browser asks', () => {
    expect(corsHeaders(from(undefined), ['*'])).toEqual({});
    expect(corsHeaders({}, ['*'])).toEqual({});
  });
});
