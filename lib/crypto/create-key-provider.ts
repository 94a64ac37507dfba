import type { EncryptionConfig } from '../config/config.ts';
import type { KeyProvider } from './key-provider.ts';

/** The configured provider, or null for none. The other one's code is never loaded, and nothing connects before its first use. */
export async function createKeyProvider(config: EncryptionConfig): Promise<KeyProvider | null> {
  if (config.provider === 'kms') return (await import('./kms-provider.ts')).createKmsProvider(config);
  if (config.provider === 'local') return (await import('./local-provider.ts')).createLocalProvider(config);
  return null;
}
