/**
 * The scripts behind `budgets.ts`. KEYS come in pairs, one pair per level: the hash of its sums, and the set of its
 * reservations. Money is counted in whole billionths of a dollar, so that sums are exact.
 *
 * A reservation is `<id>|<nanoUsd>|<tokens>`, scored by the time at which it expires. An expired reservation no longer
 * counts, but it stays for a day under a negative score: a process that was only suspended can still commit it, and a
 * second commit of the same reservation has no effect.
 */
const COMMON = `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local day = 86400000
local levels = #KEYS / 2

local function add(sums, field, by)
  if by ~= 0 then redis.call("HINCRBY", sums, field, string.format("%.0f", by)) end
end
local function amounts(reservation)
  local usd, tokens = string.match(reservation, "|(%d+)|(%d+)$")
  return tonumber(usd), tonumber(tokens)
end
local function release(sums, reservation)
  local usd, tokens = amounts(reservation)
  add(sums, "heldUsd", -usd)
  add(sums, "heldTokens", -tokens)
end
local function read(level)
  local sums, held = KEYS[level * 2 - 1], KEYS[level * 2]
  for _, reservation in ipairs(redis.call("ZRANGEBYSCORE", held, 0, now)) do
    release(sums, reservation)
    redis.call("ZADD", held, -now, reservation)
  end
  local old = "(" .. string.format("%.0f", day - now)
  -- Written only when needed: a server that refuses writes can still be read.
  if redis.call("ZCOUNT", held, old, -1) > 0 then redis.call("ZREMRANGEBYSCORE", held, old, -1) end
  return redis.call("HMGET", sums, "usd", "tokens", "heldUsd", "heldTokens", "capUsd", "capTokens")
end
`;

/**
 * ARGV: reservation, time to live, then for each level cap in nanoUsd, cap in tokens (both may be "") and for how long
 * its keys are kept ("" for ever). A cap in the hash takes precedence over the given one. Grants while the sum of spent
 * and reserved is below every cap, so that at most one call exceeds a cap.
 */
export const RESERVE = `${COMMON}
local reservation, ttl = ARGV[1], tonumber(ARGV[2])
local known = redis.call("ZSCORE", KEYS[2], reservation)
if known and tonumber(known) >= 0 then return {"granted"} end
local busy = false
for level = 1, levels do
  local found = read(level)
  for unit = 1, 2 do
    local cap = tonumber(found[4 + unit] or ARGV[3 * level - 1 + unit])
    local spent = tonumber(found[unit] or "0")
    if cap and spent >= cap then
      local own = found[4 + unit] and "own" or "given"
      return {"exhausted", tostring(level), tostring(unit), string.format("%.0f", cap), string.format("%.0f", spent), own}
    end
    if cap and spent + tonumber(found[2 + unit] or "0") >= cap then busy = true end
  end
end
if busy then return {"busy"} end
local usd, tokens = amounts(reservation)
for level = 1, levels do
  local sums, held = KEYS[level * 2 - 1], KEYS[level * 2]
  add(sums, "heldUsd", usd)
  add(sums, "heldTokens", tokens)
  redis.call("ZADD", held, now + ttl, reservation)
  local keep = tonumber(ARGV[3 * level + 2])
  if keep then
    redis.call("PEXPIRE", sums, keep)
    redis.call("PEXPIRE", held, keep)
  end
end
return {"granted"}`;

/**
 * ARGV: reservation, real usage in nanoUsd and tokens. A reservation that is unknown was committed before. An amount that
 * is negative or no number would give money back: the reserved amount is charged instead of it.
 */
export const COMMIT = `${COMMON}
local reservedUsd, reservedTokens = amounts(ARGV[1])
local function charge(given, reserved)
  local by = tonumber(given)
  -- Above 2^53 sums are not exact any more.
  if by == nil or not (by >= 0 and by <= 9007199254740992) then return reserved end
  return by
end
for level = 1, levels do
  local sums, held = KEYS[level * 2 - 1], KEYS[level * 2]
  local score = redis.call("ZSCORE", held, ARGV[1])
  if score then
    redis.call("ZREM", held, ARGV[1])
    if tonumber(score) >= 0 then release(sums, ARGV[1]) end
    add(sums, "usd", charge(ARGV[2], reservedUsd))
    add(sums, "tokens", charge(ARGV[3], reservedTokens))
  end
end
return 1`;

/** ARGV: reservation, time to live. */
export const RENEW = `${COMMON}
for level = 1, levels do
  local score = redis.call("ZSCORE", KEYS[level * 2], ARGV[1])
  if score and tonumber(score) >= 0 then redis.call("ZADD", KEYS[level * 2], now + tonumber(ARGV[2]), ARGV[1]) end
end
return 1`;

export const READ = `${COMMON}
local answer = {}
for level = 1, levels do
  local found = read(level)
  for field = 1, 6 do found[field] = found[field] or "" end
  answer[level] = found
end
return answer`;

/** KEYS: the hash of one level. ARGV: version, caps in nanoUsd and tokens ("" for none). The newest version wins. */
export const SET_CAP = `
if tonumber(redis.call("HGET", KEYS[1], "capVersion") or "-1") > tonumber(ARGV[1]) then return 0 end
redis.call("HSET", KEYS[1], "capVersion", ARGV[1])
for nth, field in ipairs({"capUsd", "capTokens"}) do
  if ARGV[1 + nth] == "" then redis.call("HDEL", KEYS[1], field)
  else redis.call("HSET", KEYS[1], field, ARGV[1 + nth]) end
end
return 1`;
