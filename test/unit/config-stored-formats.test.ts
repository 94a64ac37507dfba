/** Versions of the configuration that were stored stay readable, and are written today as they were; damaged ones are refused. */
import { describe, expect, it } from 'vitest';
import {
  packActive,
  packStoredActive,
  unpackActive,
  unpackStoredActive,
} from '../../lib/runtime-config/active-format.ts';
import { packVersion, unpackVersion } from '../../lib/runtime-config/version-format.ts';
import { golden } from '../support/stored-formats.ts';

const { active, stored, version } = golden.config;

describe('the stored configuration [K6]', () => {
  it('which version is active, in Redis and in S3', () => {
    const found = { rev: 12, version: 7, canary: { version: 8, share: 0.25 } };
    expect(unpackActive(active)).toEqual(found);
    expect(unpackStoredActive(stored)).toMatchObject({
      ...found,
      seen: { file: null },
      entry: { action: 'config.activate', details: { version: 8 } },
    });
    expect(packActive(unpackActive(active))).toBe(active);
    expect(packStoredActive(unpackStoredActive(stored))).toBe(stored);
    expect(unpackActive('a1,1,0,-,0')).toEqual({ rev: 1, version: 0, canary: null });
  });

  it('a version, with what it states by where it has it from', () => {
    expect(unpackVersion(version)).toMatchObject({
      ...{ version: 8, note: 'Kürzer', source: 'api' },
      settings: { file: {}, s3: { 'http.cors_origins': ['https://a.example', 'https://b.example'] } },
    });
    expect(packVersion(unpackVersion(version))).toBe(version);
  });

  it.each(['', '{', 'null', '{"format":"cv2"}', '{"format":"ca1","rev":1}', 'a1,1,1', 'a2,1,1,-,0'])(
    'is refused where it is something else: %j',
    (text) => {
      expect(() => unpackActive(text)).toThrow('Not an active configuration');
      expect(() => unpackStoredActive(text)).toThrow('Not an active configuration');
      expect(() => unpackVersion(text)).toThrow('Not a version of the configuration');
    },
  );
});
