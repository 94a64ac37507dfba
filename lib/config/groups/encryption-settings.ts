import { defineSettings } from '../setting.ts';
import { choice, milliseconds, seconds, text, url } from '../value-types.ts';

/** Who keeps the master key, and how long a data key is used without asking. */
export const encryptionSettings = defineSettings({
  provider: {
    type: choice('kms', 'local', 'none'),
    default: 'none',
    hot: false,
    fixed: true,
    about: '`kms`, `local` or `none`; unset: the one whose key is set',
  },
  kms_key_id: {
    type: text('a KMS key id, ARN or alias/name', /^[A-Za-z0-9:/_-]{0,2048}$/),
    default: '',
    hot: false,
    fixed: true,
    about: 'Master key in AWS KMS: id, ARN or `alias/…`',
  },
  kms_endpoint: {
    type: url({ expected: 'http:// or https:// and a host', protocols: ['http:', 'https:'], mayBeEmpty: true }),
    default: '',
    hot: false,
    fixed: true,
    about: 'A KMS-compatible service; empty means AWS',
    secret: 'password',
  },
  region: {
    type: text('a region, as us-east-1', /^[a-z0-9-]{1,64}$/),
    default: 'us-east-1',
    aliases: ['AWS_REGION'],
    hot: false,
    fixed: true,
    about: 'Region of the KMS key',
  },
  master_key_file: {
    type: text('a path', /^[^\0]*$/),
    default: '',
    hot: false,
    fixed: true,
    about: 'Master keys in a file of mode 600, one `<id> <base64 of 32 bytes>` a line, newest last',
  },
  data_key_max_age_seconds: {
    type: seconds(1, 86_400),
    default: '300',
    hot: true,
    about: 'A data key in memory is asked for again after this',
  },
  data_key_stale_seconds: {
    type: seconds(1, 604_800),
    default: '3600',
    hot: true,
    about: 'How long it goes on while the provider cannot be reached',
  },
  request_timeout_ms: {
    type: milliseconds(1),
    default: '2000',
    hot: false,
    fixed: true,
    about: 'Longest time of one call of KMS',
  },
});
