// Runs inside the sandbox of an installation, on Node alone. It decides nothing: it relays requests for packages over
// its stdin and stdout, runs the commands that the host orders, and hands back node_modules.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { lstat, mkdir, readdir, readFile, readlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { connect } from "node:http2";
import { dirname, join } from "node:path";
import { Duplex, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";

const TAIL_CHARS = 8_000;
const WHOLE_FILE_BYTES = 2 ** 20;

const door = connect("http://door", {
  createConnection: () => Duplex.from({ readable: process.stdin, writable: process.stdout }),
});
door.on("error", () => process.exit(1));
door.on("close", () => process.exit(1));

/** Relays a request of the package manager to the host, which decides whether it is answered. */
function relay(request, response) {
  const { accept = "*/*" } = request.headers;
  const stream = door.request({
    ":method": request.method,
    ":path": request.url,
    ":authority": authority,
    accept,
  });
  stream.on("response", (headers) => {
    const plain = Object.entries(headers).filter(([name]) => !name.startsWith(":"));
    response.writeHead(headers[":status"], Object.fromEntries(plain));
    stream.pipe(response);
  });
  stream.on("error", () => response.destroy());
  response.on("close", () => stream.close());
  request.resume();
}

const server = createServer(relay).listen(0, "127.0.0.1");
await once(server, "listening");
const authority = `127.0.0.1:${server.address().port}`;

async function get(path) {
  const stream = door.request({ ":method": "GET", ":path": path, ":authority": authority });
  return text(stream);
}

/** Sends a body; resolves when the host has answered. The host may refuse the body before its end. */
async function put(path, body) {
  const stream = door.request({ ":method": "PUT", ":path": path, ":authority": authority });
  const answered = once(stream, "response");
  await Promise.race([pipeline(Readable.from(body), stream, { end: true }).catch(() => undefined), answered]);
  await answered;
  stream.resume();
}

async function run([command, ...args], options) {
  const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let outputTail = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (chunk) => {
      outputTail = (outputTail + chunk).slice(-TAIL_CHARS);
    });
  try {
    const [code, signal] = await once(child, "close");
    return { code, signal, outputTail };
  } catch (error) {
    return { code: null, signal: null, outputTail: String(error), missing: true };
  }
}

/** A line of JSON for each entry; the bytes of a file follow its line. `unpack-modules.ts` reads it. */
async function* pack(root, path = "") {
  const line = (...entry) => Buffer.from(`${JSON.stringify(entry)}\n`);
  for (const name of (await readdir(join(root, path))).sort()) {
    const at = path === "" ? name : `${path}/${name}`;
    const file = join(root, at);
    const stat = await lstat(file);
    if (stat.isSymbolicLink()) yield line("link", at, await readlink(file));
    else if (stat.isDirectory()) {
      yield line("folder", at);
      yield* pack(root, at);
    } else if (stat.isFile()) {
      const runs = (stat.mode & 0o111) !== 0;
      if (stat.size > WHOLE_FILE_BYTES) {
        yield line("file", at, runs, stat.size);
        yield* createReadStream(file, { end: stat.size - 1 });
      } else {
        const content = await readFile(file);
        yield line("file", at, runs, content.length);
        if (content.length > 0) yield content;
      }
    }
  }
  if (path === "") yield line("end");
}

const order = JSON.parse(await get("/order"));
for (const [path, content] of Object.entries(order.files)) {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}
const home = join(process.cwd(), "home");
const project = join(process.cwd(), "project");
await mkdir(join(project, "node_modules"), { recursive: true });
const env = {
  PATH: process.env.PATH,
  LANG: "C.UTF-8",
  HOME: home,
  npm_config_userconfig: join(home, ".npmrc"),
  npm_config_globalconfig: join(home, "none"),
  npm_config_cache: join(home, "cache"),
};
let result = { code: 0, signal: null, outputTail: "" };
for (const command of order.commands) {
  result = await run(command, { cwd: project, env });
  if (result.code !== 0) break;
}
if (result.code === 0) await put("/modules", pack(join(project, "node_modules")));
await put("/result", [Buffer.from(JSON.stringify(result))]);
process.exit(0);
