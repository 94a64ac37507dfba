/**
 * The commands this endpoint passes to Redis: those of Upstash that end at once and leave no state on the connection,
 * which all callers share. Every other one gets Upstash's own refusal. RedisJSON, functions and subscriptions are not
 * here: the Redis behind has no modules, and one request has one answer.
 */
const SUPPORTED = {
  strings: `APPEND DECR DECRBY GET GETDEL GETEX GETRANGE GETSET INCR INCRBY INCRBYFLOAT LCS MGET MSET MSETNX PSETEX SET
    SETEX SETNX SETRANGE STRLEN SUBSTR`,
  bitmaps: 'BITCOUNT BITFIELD BITFIELD_RO BITOP BITPOS GETBIT SETBIT',
  hashes: `HDEL HEXISTS HEXPIRE HEXPIREAT HEXPIRETIME HGET HGETALL HGETDEL HGETEX HINCRBY HINCRBYFLOAT HKEYS HLEN HMGET
    HMSET HPERSIST HPEXPIRE HPEXPIREAT HPEXPIRETIME HPTTL HRANDFIELD HSCAN HSET HSETEX HSETNX HSTRLEN HTTL HVALS`,
  lists: `LINDEX LINSERT LLEN LMOVE LMPOP LPOP LPOS LPUSH LPUSHX LRANGE LREM LSET LTRIM RPOP RPOPLPUSH RPUSH RPUSHX`,
  sets: `SADD SCARD SDIFF SDIFFSTORE SINTER SINTERCARD SINTERSTORE SISMEMBER SMEMBERS SMISMEMBER SMOVE SPOP SRANDMEMBER
    SREM SSCAN SUNION SUNIONSTORE`,
  sortedSets: `ZADD ZCARD ZCOUNT ZDIFF ZDIFFSTORE ZINCRBY ZINTER ZINTERCARD ZINTERSTORE ZLEXCOUNT ZMPOP ZMSCORE ZPOPMAX
    ZPOPMIN ZRANDMEMBER ZRANGE ZRANGEBYLEX ZRANGEBYSCORE ZRANGESTORE ZRANK ZREM ZREMRANGEBYLEX ZREMRANGEBYRANK
    ZREMRANGEBYSCORE ZREVRANGE ZREVRANGEBYLEX ZREVRANGEBYSCORE ZREVRANK ZSCAN ZSCORE ZUNION ZUNIONSTORE`,
  geo: `GEOADD GEODIST GEOHASH GEOPOS GEORADIUS GEORADIUSBYMEMBER GEORADIUSBYMEMBER_RO GEORADIUS_RO GEOSEARCH
    GEOSEARCHSTORE`,
  hyperLogLog: 'PFADD PFCOUNT PFMERGE',
  streams: `XACK XADD XAUTOCLAIM XCLAIM XDEL XGROUP XINFO XLEN XPENDING XRANGE XREAD XREADGROUP XREVRANGE XSETID XTRIM`,
  keys: `COPY DEL DUMP EXISTS EXPIRE EXPIREAT EXPIRETIME KEYS OBJECT PERSIST PEXPIRE PEXPIREAT PEXPIRETIME PTTL RANDOMKEY
    RENAME RENAMENX RESTORE SCAN SORT SORT_RO TOUCH TTL TYPE UNLINK`,
  scripts: 'EVAL EVALSHA EVALSHA_RO EVAL_RO SCRIPT',
  server: 'DBSIZE ECHO FLUSHALL FLUSHDB INFO PING PUBLISH TIME',
};

const NAMES = new Set(Object.values(SUPPORTED).flatMap((names) => names.split(/\s+/)));
const SCRIPT_PARTS = new Set(['EXISTS', 'FLUSH', 'LOAD']);

/** One command: its name in upper case, then its arguments. */
export type Command = readonly [name: string, ...args: (string | Buffer)[]];

/** The error to answer instead of running the command, or null when it may run. */
export function refusal([name, ...args]: Command): string | null {
  if (!NAMES.has(name)) return unavailable(name);
  if (name === 'SCRIPT' && !SCRIPT_PARTS.has(upper(args[0]))) return unavailable(`SCRIPT ${upper(args[0])}`);
  // A blocked connection would hold up every other caller.
  if ((name === 'XREAD' || name === 'XREADGROUP') && hasBlock(args)) return unavailable(`${name} BLOCK`);
  return null;
}

/** BLOCK is an option only before STREAMS; after it, it is the name of a stream. */
function hasBlock(args: readonly (string | Buffer)[]): boolean {
  const words = args.map(upper);
  const streams = words.indexOf('STREAMS');
  return words.slice(0, streams < 0 ? undefined : streams).includes('BLOCK');
}

const upper = (word: string | Buffer | undefined) => String(word ?? '').toUpperCase();

function unavailable(what: string): string {
  const shown = what.slice(0, 64);
  return `ERR Command is not available: '${shown}'. See https://upstash.com/docs/redis/overall/rediscompatibility for details`;
}
