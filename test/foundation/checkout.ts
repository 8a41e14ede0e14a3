/**
 * A copy of the launcher and the bootstrap script in a temporary folder, with a PATH that holds the system tools they need and
 * fakes of node, npm, apt-get and id. Nothing outside of the folder is read or changed.
 */
import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");
const SYSTEM_TOOLS = "sh uname mkdir rm mv cp cat tail touch cmp chmod flock readlink sleep".split(" ");

export type Outcome = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** What `node` prints for its version and does otherwise. */
function nodeScript(version: string): string {
  return `#!/bin/sh\n[ "$1" = --version ] && echo ${version} && exit 0\necho "node ${version} in $PWD: $*"\n`;
}

const NPM = `#!/bin/sh
echo "npm $*" >> "$FAKE_LOG"
sleep 0.2
case $2 in
  --prefix)
    for package in "$@"; do :; done
    bin="$3/node_modules/\${package%@*}/bin"
    mkdir -p "$bin"
    cp "$FAKE_NEW_NODE" "$bin/node"
    ;;
  --no-save)
    mkdir -p node_modules
    echo installed > node_modules/.package-lock.json
    ;;
esac
`;

export class Checkout {
  readonly folder: string;
  readonly bin: string;
  readonly policy: string;
  readonly #log: string;

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), "df2redis-bootstrap-"));
    this.bin = join(this.folder, "fake-bin");
    this.policy = join(this.folder, "policy-rc.d");
    this.#log = join(this.folder, "calls.log");
    mkdirSync(this.bin);
    mkdirSync(join(this.folder, "scripts"));
    cpSync(join(root, "scripts/bootstrap.sh"), join(this.folder, "scripts/bootstrap.sh"));
    cpSync(join(root, "df2redis"), join(this.folder, "df2redis"));
    this.write("package-lock.json", "{}");
    for (const tool of SYSTEM_TOOLS) this.#link(tool);
    this.program("new-node", nodeScript("v24.99.0"));
    this.program("npm", NPM);
    this.program("id", "#!/bin/sh\necho 1000\n");
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, text: string): void {
    writeFileSync(this.path(name), text);
  }

  /** Puts a program on PATH. */
  program(name: string, script: string): void {
    writeFileSync(join(this.bin, name), script);
    chmodSync(join(this.bin, name), 0o755);
  }

  machineNode(version: string): void {
    this.program("node", nodeScript(version));
  }

  removeProgram(name: string): void {
    rmSync(join(this.bin, name), { force: true });
  }

  /** The calls of npm, apt-get and the like so far, then forgotten. */
  takeCalls(): string[] {
    if (!existsSync(this.#log)) return [];
    const lines = readFileSync(this.#log, "utf8").trimEnd().split("\n");
    rmSync(this.#log);
    return lines;
  }

  bootstrap(...args: readonly string[]): Outcome {
    return this.run(join(this.bin, "sh"), [this.path("scripts/bootstrap.sh"), ...args]);
  }

  run(program: string, args: readonly string[], cwd = this.folder): Outcome {
    const { status, stdout, stderr } = spawnSync(program, args, { cwd, env: this.#env(), encoding: "utf8" });
    return { code: status, stdout, stderr };
  }

  /** As `bootstrap`, without waiting for its end. */
  async bootstrapAside(...args: readonly string[]): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const child = spawn(join(this.bin, "sh"), [this.path("scripts/bootstrap.sh"), ...args], { env: this.#env() });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (data: Buffer) => (stdout += data.toString()));
    child.stderr.on("data", (data: Buffer) => (stderr += data.toString()));
    child.on("close", (code) => resolve({ code, stdout, stderr }));
    return promise;
  }

  #env(): NodeJS.ProcessEnv {
    return {
      PATH: this.bin,
      FAKE_LOG: this.#log,
      FAKE_NEW_NODE: join(this.bin, "new-node"),
      FAKE_BIN: this.bin,
      DF2REDIS_POLICY_RC_D: this.policy,
    };
  }

  #link(tool: string): void {
    const found = ["/bin", "/usr/bin"].map((folder) => join(folder, tool)).find((path) => existsSync(path));
    if (found !== undefined) symlinkSync(found, join(this.bin, tool));
  }
}
