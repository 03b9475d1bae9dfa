import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { leaveOut } from "./leave-out.ts";

const HERE = dirname(fileURLToPath(import.meta.url));
const MODULES = join(HERE, "../../../node_modules");

/** Pi's tools without its terminal program. The package has no entry point for them. */
const PI_TOOLS = join(MODULES, "@earendil-works/pi-coding-agent/dist/core/tools/index.js");

/**
 * Bundles the agent into one file that needs only Node, for all sandbox providers. An up-to-date file is not written
 * again. Returns the file's path.
 */
export async function buildAgent(outFile: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(HERE, "main.ts")],
    bundle: true,
    platform: "node",
    target: "node22",
    format: "esm",
    minify: true,
    write: false,
    loader: { ".md": "text" },
    plugins: [leaveOut],
    alias: { "@earendil-works/pi-coding-agent": PI_TOOLS },
    // CommonJS packages in the bundle use these names.
    banner: {
      js: 'import{createRequire as __cr}from"node:module";const require=__cr(import.meta.url);import{fileURLToPath as __fu}from"node:url";const __filename=__fu(import.meta.url);const __dirname=__filename.slice(0,__filename.lastIndexOf("/"));',
    },
    logLevel: "error",
  });
  const [bundle] = outputFiles;
  if (bundle === undefined) throw new Error("esbuild returned no output file for the agent");
  if (existsSync(outFile) && hash(await readFile(outFile)) === hash(bundle.contents)) return outFile;
  await mkdir(dirname(outFile), { recursive: true });
  const temporary = `${outFile}.${process.pid}`;
  await writeFile(temporary, bundle.contents);
  await rename(temporary, outFile);
  return outFile;
}

function hash(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}
