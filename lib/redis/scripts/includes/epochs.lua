-- Invalidation: an entry is invisible when its seq is at or below an epoch that applies to it. Epochs stand in the gate until
-- the cleaning has reclaimed what they hide:
--   v         v1,<epoch of all entries>,<namespaces pending>,<tags pending>,<epoch of all at, ms>,<share of the memory, bytes, 0
--             none>
--   n:<name>  <epoch of the namespace, 0 none>,<fence>,<ms>
--   t:<tag>   <epoch of the tag>,<ms>
-- The sorted set `invalidated` has the names of these fields, `n:…` and `t:…`, by their newest seq: so that the cleaning finds them.
-- The fence only keeps loads that began before it from being stored.

-- The epochs that may apply to entries of a namespace with some of these tags (a list). 1 inner call, none while neither
-- namespaces nor tags are pending.
local function read_epochs(gateKey, pending, namespace, tags)
  local all, namespaces, tagsPending = string.match(pending, '^v1,(%d+),(%d+),(%d+),')
  local epochs = { all = tonumber(all), fence = 0, tags = {} }
  if namespaces == '0' and (tagsPending == '0' or #tags == 0) then return epochs end
  local fields = { 'n:' .. namespace }
  for i, tag in ipairs(tags) do fields[i + 1] = 't:' .. tag end
  for i, value in ipairs(redis.call('HMGET', gateKey, unpack(fields))) do
    local epoch, second = string.match(value or '', '^(%d+),(%d+)')
    if epoch and i == 1 then
      epochs.all, epochs.fence = math.max(epochs.all, epoch), tonumber(second)
    elseif epoch then
      epochs.tags[tags[i - 1]] = tonumber(epoch)
    end
  end
  return epochs
end

-- The tags of an entry as a list.
local function tag_list(tags)
  local list = {}
  for tag in string.gmatch(tags, '[^,]+') do list[#list + 1] = tag end
  return list
end

-- The newest of the epochs that applies to an entry with these tags (a list).
local function newest_of(epochs, tags)
  local newest = epochs.all
  for _, tag in ipairs(tags) do newest = math.max(newest, epochs.tags[tag] or 0) end
  return newest
end

-- The newest epoch that applies to one entry.
local function newest_epoch(gateKey, pending, namespace, tags)
  tags = tag_list(tags)
  return newest_of(read_epochs(gateKey, pending, namespace, tags), tags)
end

-- The namespace of an entry, from its key.
local function namespace_of(entry)
  return string.match(entry, '}:g%d+:c:([^:]*):')
end

-- The memory a tenant may use: its quota, or its share while the caches of all tenants together use more than there is. Hot sessions
-- have a memory of their own, beside that share.
local function within_share(pending, memoryLimit, stock)
  local share = tonumber(string.match(pending, ',(%d+)$'))
  return share > 0 and math.min(share + stock.hotBytes, memoryLimit) or memoryLimit
end
