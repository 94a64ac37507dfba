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
    about: 'Running instances take another configuration; if not, each takes it with its next start',
  },
  config_watch_paths: {
    type: list('paths, separated by commas', (path) => !path.includes('\0')),
    default: './config',
    hot: false,
    about: 'Files, or folders with a persistence.yml, that a host watches',
  },
  checkpoint_interval_seconds: {
    type: seconds(1, 86_400),
    default: '300',
    hot: true,
    about: 'How often a checkpoint is made',
  },
  max_checkpoints: {
    type: integer(1, 10_000),
    default: '10',
    hot: true,
    about: 'Checkpoints kept',
  },
  kept_hourly: {
    type: integer(0, 1_000),
    default: '0',
    hot: true,
    about: 'Beside the newest, the newest checkpoint of each of so many hours is kept',
  },
  kept_daily: {
    type: integer(0, 1_000),
    default: '0',
    hot: true,
    about: 'The same of days (UTC)',
  },
  kept_weekly: {
    type: integer(0, 1_000),
    default: '0',
    hot: true,
    about: 'The same of weeks (from Monday, UTC)',
  },
  checkpoint_cache: {
    type: flag(),
    default: 'true',
    hot: true,
    about: 'Entries of the cache are in scheduled checkpoints',
  },
  shutdown_checkpoint: {
    type: flag(),
    default: 'true',
    hot: true,
    about: 'A host that stops makes a checkpoint',
  },
  restore_drill_interval_seconds: {
    type: seconds(0, 31_536_000),
    default: '0',
    hot: true,
    about: 'How often the newest checkpoint is loaded beside the data, to see that it can be; 0: never',
  },
  checkpoint_compression: {
    type: flag(),
    default: 'true',
    hot: true,
    about: 'Checkpoints are packed with LZ4',
  },
  enable_graceful_shutdown: {
    type: flag(),
    default: 'true',
    hot: false,
    about: 'A host that is stopped ends what it has begun and hands its jobs over; else it cuts off',
  },
  shutdown_timeout_seconds: {
    type: seconds(1, 3_600),
    default: '30',
    hot: false,
    about: 'Longest time such a stop takes; requests get two thirds of it',
  },
});
