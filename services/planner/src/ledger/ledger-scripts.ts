import { STATUSES, type LedgerKey } from "./stored-ledger.ts";

/** Number of tasks that an earlier step left and that one step takes up. */
const BATCH = 50;
/** Number of dependents whose records are read ahead with a task. */
const AHEAD = 20;

const NAMES: readonly LedgerKey[] = [
  "head",
  "tasks",
  "versions",
  "dependents",
  "names",
  "landings",
  "signatures",
  "sums",
  "due",
  "outbox",
  "revisions",
  "missed",
  "noted",
  "decisions",
  "list:resolves",
  ...STATUSES.map((status) => `list:${status}` as const),
];

const FACTS = `
local function key(name) return KEYS[1] .. ":" .. name end
local statuses = {${STATUSES.map((status) => `"${status}"`).join(",")}}
local function facts()
  local found = redis.call("HMGET", key("head"), "document", "version", "revision")
  local sums = redis.call("HMGET", key("sums"), "costUsd", "tokens")
  local time = redis.call("TIME")
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local counts = {}
  for nth, status in ipairs(statuses) do counts[nth] = redis.call("ZCARD", key("list:" .. status)) end
  return {found[1], found[2], found[3], sums[1], sums[2], counts,
    redis.call("LLEN", key("revisions")), redis.call("ZCARD", key("due")), redis.call("HLEN", key("outbox")), now}
end
`;

/**
 * Reads a part of a ledger at one moment. KEYS[1]: what its keys begin with. ARGV[1]: a JSON object with `tasks`, `lists`,
 * `signatures`, `names`, `landings` and `batch`. Dependents of the named tasks are read ahead.
 */
export const READ = `${FACTS}
local asked = cjson.decode(ARGV[1])
local seen, tasks = {}, {}
local function read(id)
  if seen[id] then return nil end
  seen[id] = true
  local dependents = redis.call("HGET", key("dependents"), id)
  tasks[#tasks + 1] = {id, redis.call("HGET", key("tasks"), id), redis.call("HGET", key("versions"), id), dependents}
  return dependents
end
local ahead = {}
for _, id in ipairs(asked.tasks) do
  local dependents = read(id)
  if dependents then
    for one in string.gmatch(dependents, "[^\\n]+") do
      if #ahead < ${AHEAD} then ahead[#ahead + 1] = one end
    end
  end
end
for _, id in ipairs(ahead) do read(id) end
local lists = {}
for nth, name in ipairs(asked.lists) do lists[nth] = redis.call("ZRANGE", key("list:" .. name), 0, -1) end
local signatures = {}
for nth, one in ipairs(asked.signatures) do signatures[nth] = redis.call("HGET", key("signatures"), one) or "" end
local names = asked.names and redis.call("HGETALL", key("names")) or false
local landings = asked.landings and redis.call("HGETALL", key("landings")) or false
local batch = {}
if asked.batch then
  batch = {redis.call("ZRANGE", key("due"), 0, ${BATCH - 1})}
  for nth, name in ipairs({"planned", "ready", "sent", "held"}) do
    batch[nth + 1] = redis.call("ZRANGE", key("list:" .. name), 0, ${BATCH - 1})
  end
end
return {facts(), tasks, lists, signatures, names, landings, batch}`;

/**
 * Writes a step, if nothing that it depends on has changed. KEYS[1]: what the ledger's keys begin with; KEYS[2], KEYS[3]:
 * the keys of all and of the open ledgers. ARGV[1]: JSON list of \`[hash, field, value]\` to compare, \`""\` for none.
 * ARGV[2]: JSON list of commands. Returns the facts after the step, or 0.
 */
export const COMMIT = `${FACTS}
for _, one in ipairs(cjson.decode(ARGV[1])) do
  if (redis.call("HGET", one[1], one[2]) or "") ~= one[3] then return 0 end
end
redis.call("HINCRBY", key("head"), "revision", 1)
for _, command in ipairs(cjson.decode(ARGV[2])) do redis.call(unpack(command)) end
return facts()`;

/**
 * Removes a ledger, if its head is still of this version and nothing of it is left to do. KEYS as of COMMIT. ARGV: the
 * version of the head; the feature.
 */
export const FORGET = `
local function key(name) return KEYS[1] .. ":" .. name end
if redis.call("HGET", key("head"), "version") ~= ARGV[1] or redis.call("HEXISTS", KEYS[3], ARGV[2]) == 1 then return 0 end
for _, name in ipairs({${NAMES.map((name) => `"${name}"`).join(",")}}) do redis.call("DEL", key(name)) end
redis.call("SREM", KEYS[2], ARGV[2])
return 1`;

/**
 * Removes an entry of the outbox, and the feature from the open ones when it has ended with this head and has nothing
 * left to do. KEYS as of COMMIT. ARGV: the entry; the version of a head that has nothing left to do, or ""; the feature.
 */
export const DONE = `${FACTS}
redis.call("HDEL", key("outbox"), ARGV[1])
if ARGV[2] == "" or redis.call("HGET", key("head"), "version") ~= ARGV[2] then return 0 end
if redis.call("HLEN", key("outbox")) > 0 then return 0 end
return redis.call("HDEL", KEYS[3], ARGV[3])`;
