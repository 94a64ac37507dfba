import { defineSettings } from '../setting.ts';
import { choice, flag, list, milliseconds, text, url, valueType } from '../value-types.ts';

/** Object storage. Credentials come from where the AWS SDK finds them. */
export const blobsSettings = defineSettings({
  bucket: {
    type: text('a bucket name: 3 to 63 of a-z 0-9 . -', /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/),
    default: 'riptide',
    hot: false,
    fixed: true,
    about: 'S3 bucket',
  },
  endpoint: {
    type: url({ expected: 'http:// or https:// and a host', protocols: ['http:', 'https:'], mayBeEmpty: true }),
    default: '',
    hot: false,
    fixed: true,
    about: 'An S3-compatible service; empty means AWS',
    secret: 'password',
  },
  region: {
    type: text('a region, as us-east-1', /^[a-z0-9-]{1,64}$/),
    default: 'us-east-1',
    aliases: ['AWS_REGION'],
    hot: false,
    fixed: true,
    about: 'Region of the bucket',
  },
  force_path_style: {
    type: flag(),
    default: 'false',
    hot: false,
    fixed: true,
    about: 'Bucket in the path, as many S3-compatible services need',
  },
  request_timeout_ms: {
    type: milliseconds(1),
    default: '5000',
    hot: false,
    fixed: true,
    about: 'Longest time of one call, its body included',
  },
  checksums: {
    type: choice('supported', 'required'),
    default: 'supported',
    hot: false,
    fixed: true,
    about: '`required` for services that refuse the SDK’s default CRC',
  },
});

/** The HTTP API. */
export const httpSettings = defineSettings({
  cors_origins: {
    type: list('origins as https://app.example.com, or *, separated by commas', isOrigin),
    default: '',
    hot: true,
    about: 'Origins that browsers may call from; `*` for any, empty for none',
  },
});

/** The administrator. */
export const adminSettings = defineSettings({
  key_sha256: {
    type: valueType('a SHA-256 in hex: 64 digits', (raw) =>
      /^[0-9a-f]{64}$/i.test(raw) ? raw.toLowerCase() : undefined,
    ),
    default: undefined,
    hot: false,
    fixed: true,
    about: 'SHA-256 of the admin key, in hex; required',
    secret: 'value',
  },
});

/** Logs. */
export const logSettings = defineSettings({
  level: {
    type: choice('debug', 'info', 'warn', 'error'),
    default: 'info',
    hot: true,
    about: '`debug`, `info`, `warn` or `error`',
  },
});

function isOrigin(item: string): boolean {
  return item === '*' || (/^https?:[^*]+$/.test(item) && URL.parse(item)?.origin === item);
}
