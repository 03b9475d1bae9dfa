/**
 * Writes one batch completely or not at all. It writes nothing when the views are being rebuilt by somebody else, when
 * they are gone, when a document has another version than the one that was read, or when an event was taken in before.
 *
 * KEYS[1] exists while the views are rebuilt and holds the token of the rebuild; KEYS[2] exists once the views are
 * complete; the other keys are those of the arguments. ARGV[1] is the token of a rebuild, or empty. Then come four
 * lists, each behind its length: documents (key, id, expected version, new version, text; an empty text deletes), event
 * ids (key of the newer half, of the older half, fingerprint), texts for the event stream, and commands (number of
 * words, words). A document is stored as `<version>\n<JSON>`.
 */
export const COMMIT = `
local token = ARGV[1]
local rebuilding = redis.call("GET", KEYS[1])
if token == "" then
  if rebuilding then return "rebuilding" end
  if redis.call("EXISTS", KEYS[2]) == 0 then return "empty" end
elseif rebuilding ~= token then return "lost" end
local position = 1
local function take()
  position = position + 1
  return ARGV[position]
end
local documents = {}
for nth = 1, tonumber(take()) do
  local one = { key = take(), id = take(), expected = take(), version = take(), text = take() }
  local stored = redis.call("HGET", one.key, one.id)
  local version = stored and string.match(stored, "^%d+") or "0"
  if version ~= one.expected then return "changed" end
  documents[nth] = one
end
local ids = {}
for nth = 1, tonumber(take()) do
  local one = { newer = take(), older = take(), member = take() }
  if redis.call("SISMEMBER", one.newer, one.member) == 1 then return "changed" end
  if redis.call("SISMEMBER", one.older, one.member) == 1 then return "changed" end
  ids[nth] = one
end
local stream, keep = take(), take()
for _ = 1, tonumber(take()) do
  redis.call("XADD", stream, "MAXLEN", "~", keep, "*", "event", take())
end
for _, one in ipairs(documents) do
  if one.text == "" then redis.call("HDEL", one.key, one.id)
  else redis.call("HSET", one.key, one.id, one.version .. "\\n" .. one.text) end
end
local half = tonumber(take())
for _, one in ipairs(ids) do
  redis.call("SADD", one.newer, one.member)
  if redis.call("SCARD", one.newer) >= half then redis.call("RENAME", one.newer, one.older) end
end
for _ = 1, tonumber(take()) do
  local words = {}
  for nth = 1, tonumber(take()) do words[nth] = take() end
  redis.call(unpack(words))
end
return "done"`;
