import { defineSettings } from '../setting.ts';
import { bytes, flag, integer, list, seconds } from '../value-types.ts';

/** Sessions, checkpoints, configuration and shutdown. */
export const stateSettings = defineSettings({
  session_timeout_seconds: {
    type: seconds(1, 31_536_000),
    default: '1800',
    hot: true,
    about: 'Idle lifetime of a session that names none',
  },
  session_max_lifetime_seconds: {
    type: seconds(60, 31_536_000),
    default: '2592000',
    hot: true,
    about: 'Longest time a session lives, however often it is used',
  },
  session_max_bytes: {
    type: bytes(1_024, 4 * 2 ** 20),
    default: '1MB',
    hot: true,
    about: 'Data of one session, at most',
  },
  enable_hot_reload: {
    type: flag(),
    default: 'true',
    aliases: ['PERSISTENCE_HOT_RELOAD'],
    hot: false,
    about: 'Changed configuration is used without a restart',
    awaits: 'hot configuration',
  },
  config_watch_paths: {
    type: list('paths, separated by commas', (path) => !path.includes('\0')),
    default: './config',
    hot: false,
    about: 'Paths watched for changed configuration',
    awaits: 'hot configuration',
  },
  checkpoint_interval_seconds: {
    type: seconds(1, 86_400),
    default: '300',
    hot: true,
    about: 'How often a checkpoint is made',
    awaits: 'checkpoints',
  },
  max_checkpoints: {
    type: integer(1, 10_000),
    default: '10',
    hot: true,
    about: 'Checkpoints kept',
    awaits: 'checkpoints',
  },
  checkpoint_compression: {
    type: flag(),
    default: 'true',
    hot: true,
    about: 'Checkpoints are packed with LZ4',
    awaits: 'checkpoints',
  },
  enable_graceful_shutdown: {
    type: flag(),
    default: 'true',
    hot: false,
    about: 'Pending work is flushed before a host stops',
    awaits: 'graceful shutdown',
  },
  shutdown_timeout_seconds: {
    type: seconds(1, 3_600),
    default: '30',
    hot: false,
    about: 'Longest time a shutdown takes',
    awaits: 'graceful shutdown',
  },
});
