import { expect, test } from "vitest";
import { DEFAULT_PROTECTED } from "@agentswarm/contracts";
import { matchProtected } from "./match-protected.ts";

const isProtected = matchProtected({ protected: [], unprotected: [] });

/** A path for a glob: the first of each alternative, a word for each star. */
const pathOf = (glob: string) =>
  glob
    .replace(/^\*\*\//, "")
    .replaceAll(/\{([^{},]*)(?:,[^{}]*)*\}/g, "$1")
    .replace(/\*\*$/, "deep/file.x")
    .replaceAll("*", "any");

test.each(DEFAULT_PROTECTED)("%s holds at the root, nested and in capitals", (glob) => {
  expect(glob.startsWith("**/")).toBe(true);
  const path = pathOf(glob);
  for (const place of [path, `packages/a/${path}`, `packages/.b/${path}`, path.toUpperCase()])
    expect([place, isProtected(place)]).toEqual([place, true]);
});

test.each(DEFAULT_PROTECTED)("%s alone does not hold a look-alike", (glob) => {
  const path = pathOf(glob);
  const folder = path.split("/")[0] ?? "";
  const only = matchProtected({
    protected: [],
    unprotected: DEFAULT_PROTECTED.filter((one) => one !== glob),
  });
  const lookAlike = glob.endsWith("/**") ? `x${path.slice(1)}` : `${folder}.d/notes.md`;
  expect([lookAlike, only(lookAlike)]).toEqual([lookAlike, false]);
});

/** One name for each file that the rule is for, so that a change of a glob does not lose one. */
test.each(
  `.npmrc .yarnrc .yarnrc.yml .pnpmfile.cjs pnpm-workspace.yaml bunfig.toml .yarn/releases/yarn.cjs .pnp.cjs .nvmrc
  package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml bun.lock bun.lockb deno.lock Cargo.lock uv.lock poetry.lock
  pdm.lock Pipfile.lock go.sum go.work.sum Gemfile.lock composer.lock mix.lock pubspec.lock Podfile.lock packages.lock.json
  gradle.lockfile flake.lock Package.resolved
  pyproject.toml setup.py setup.cfg requirements.txt requirements-dev.txt Pipfile Cargo.toml go.mod go.work Gemfile
  composer.json pom.xml build.gradle build.gradle.kts
  pip.conf .python-version .cargo/config.toml rust-toolchain.toml .envrc .env .tool-versions mise.toml .mise.toml
  .bashrc .bundle/config gradlew gradle/wrapper/gradle-wrapper.jar vendor/bin/phpunit vendor/autoload.php
  vitest.config.ts vitest.config.mts vitest.workspace.ts vitest.setup.ts jest.config.js jest.setup.ts jest.e2e.config.ts
  .mocharc.json .mocharc .taprc playwright.config.ts karma.conf.js cypress.config.ts pytest.ini tox.ini conftest.py
  sitecustomize.py phpunit.xml Rakefile .rspec vite.config.ts webpack.config.js webpack.prod.js rollup.config.mjs
  babel.config.js .babelrc .swcrc tsconfig.json tsconfig.build.json jsconfig.json app.tsbuildinfo turbo.json nx.json
  eslint.config.js .eslintrc.json .eslintignore .oxlintrc.json oxlint.config.ts biome.json .prettierrc ruff.toml .flake8 mypy.ini
  Makefile makefile GNUmakefile rules.mk justfile .justfile Taskfile.yml gulpfile.js CMakeLists.txt Dockerfile app.Dockerfile
  Dockerfile.dev docker-compose.yml compose.yaml compose.override.yml .devcontainer/devcontainer.json
  .github/workflows/ci.yml .github/copilot-instructions.md .gitlab-ci.yml .circleci/config.yml Jenkinsfile azure-pipelines.yml
  .buildkite/pipeline.yml .drone.yml bitbucket-pipelines.yml .woodpecker.yml .woodpecker/a.yml .travis.yml appveyor.yml
  .gitea/workflows/a.yml .forgejo/workflows/a.yml renovate.json
  AGENTS.md CLAUDE.md GEMINI.md .cursor/rules/a.mdc .cursorrules .claude/settings.json .mcp.json mcp.json .vscode/tasks.json
  .vscode/settings.json .codex/config.toml .aider.conf.yml .idea/workspace.xml
  .gitattributes .gitmodules .husky/pre-commit .githooks/pre-push lefthook.yml .lefthook-local.yml lefthook-local.yml
  .pre-commit-config.yaml .lintstagedrc.json CODEOWNERS`.split(/\s+/),
)("%s is protected", (path) => {
  expect([isProtected(path), isProtected(`deep/er/${path}`)]).toEqual([true, true]);
});

test.each([
  "src/vitest.config.helper/read.ts",
  "src/agents.ts",
  "docs/AGENTS.md.txt",
  "src/npmrc.ts",
  "src/yarn.lock.ts",
  "src/github/workflows/ci.yml",
  "src/makefile.ts",
  "src/config.ts",
  "src/docker-file.ts",
  "vendor/library.js",
  "src/husky/dog.ts",
  "src/env.ts",
  ".env.example",
  ".gitignore",
  "README.md",
  "package.json",
  "src/tsconfig.ts",
  "nested/swarm.json",
])("%s is not protected", (path) => {
  expect(isProtected(path)).toBe(false);
});
