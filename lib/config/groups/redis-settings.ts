import { defineSettings } from '../setting.ts';
import { flag, integer, milliseconds, text, url } from '../value-types.ts';

/** How Redis is reached: over its REST endpoint when `rest_url` is set, else over TCP. */
export const redisSettings = defineSettings({
  url: {
    type: url({
      expected: 'redis:// or rediss:// and a host (an https:// endpoint belongs in redis.rest_url)',
      protocols: ['redis:', 'rediss:'],
    }),
    default: 'redis://localhost:6379',
    aliases: ['REDIS_URL'],
    hot: false,
    fixed: true,
    about: 'Redis over TCP; any one node of a cluster',
    secret: 'password',
  },
  rest_url: {
    type: url({ expected: 'https:// (or http://) and a host', protocols: ['https:', 'http:'], mayBeEmpty: true }),
    default: '',
    aliases: ['UPSTASH_REDIS_REST_URL'],
    hot: false,
    fixed: true,
    about: 'Redis over an Upstash-compatible REST endpoint; when set, it is used instead of `url`',
    secret: 'password',
  },
  rest_token: {
    type: text('a token without spaces', /^\S*$/),
    default: '',
    aliases: ['UPSTASH_REDIS_REST_TOKEN'],
    hot: false,
    fixed: true,
    about: 'Token of the REST endpoint',
    secret: 'value',
  },
  pool_size: {
    type: integer(1, 1_000),
    default: '10',
    hot: false,
    fixed: true,
    about: 'Connections over TCP, at most',
  },
  connection_timeout_ms: {
    type: milliseconds(1),
    default: '5000',
    hot: false,
    fixed: true,
    about: 'Longest wait for a TCP connection',
  },
  command_timeout_ms: {
    type: milliseconds(1),
    default: '5000',
    hot: false,
    fixed: true,
    about: 'Longest wait for one reply',
  },
  cluster_mode: {
    type: flag(),
    default: 'false',
    hot: false,
    fixed: true,
    about: '`url` is a node of a Redis Cluster',
  },
  retry_attempts: {
    type: integer(0, 10),
    default: '3',
    hot: false,
    fixed: true,
    about: 'Further tries of connecting and of reads; writes are never repeated blindly',
  },
  retry_delay_ms: {
    type: milliseconds(0, 60_000),
    default: '100',
    hot: false,
    fixed: true,
    about: 'Wait before a further try',
  },
  enable_pipelining: {
    type: flag(),
    default: 'true',
    hot: false,
    fixed: true,
    about: 'Several commands share one round trip',
  },
  max_pipeline_size: {
    type: integer(1, 10_000),
    default: '100',
    hot: false,
    fixed: true,
    about: 'Commands in one round trip, at most',
  },
});
