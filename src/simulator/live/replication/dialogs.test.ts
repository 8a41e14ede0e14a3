/**
 * The recorded dialogs: every request about replication, asked in the same state and on the same kind of connection, must be answered with the recorded
 * bytes. Only EOF tokens are random.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { BareMaster } from "../../../../test/support/bare-master.ts";
import { RawConnection } from "../../../../test/support/raw-connection.ts";
import { RECORDINGS_DIRECTORY } from "../../../../test/support/recordings.ts";
import { SeededRandom, TestWriter } from "../../../../test/support/test-writer.ts";
import { until } from "../../../../test/support/until.ts";

type Exchange = {
  readonly context: string;
  readonly request?: readonly string[];
  readonly reply?: string;
  readonly other_flow_closed?: boolean;
};

const EOF_TOKEN = /\+[0-9a-f]{40}\r\n$/;

function dialogs(version: string): Exchange[] {
  const text = readFileSync(path.join(RECORDINGS_DIRECTORY, version, "dialogs.ndjson"), "utf8");
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as Exchange).filter(({ context }) => context !== "with requirepass");
}

function isAboutReplication([name, section]: readonly string[]): boolean {
  return name === "DFLY" || name === "REPLCONF" || (name === "INFO" && section === "REPLICATION");
}

function masterIdIn(exchanges: readonly Exchange[]): string {
  const info = exchanges.find(({ request }) => request?.join(" ") === "INFO REPLICATION");
  return /master_replid:([0-9a-f]{40})/.exec(info?.reply ?? "")?.[1] ?? "";
}

/** The connections of a dialog, opened when they are first used, and what the recorder did besides the requests. */
class Dialog {
  readonly #master: BareMaster;
  readonly #connections = new Map<string, RawConnection>();
  #flows = 0;

  constructor(master: BareMaster) {
    this.#master = master;
  }

  async connection(name: string): Promise<RawConnection> {
    const known = this.#connections.get(name);
    if (known !== undefined) return known;
    const opened = await RawConnection.open(this.#master.port);
    this.#connections.set(name, opened);
    return opened;
  }

  async ask({ context, request = [], reply = "" }: Exchange): Promise<string> {
    if (context === "stable sync, acknowledged 1 and 2") await this.#acknowledge();
    if (context === "one flow closed by us") await this.#closeFlow();
    const connection = await this.connection(this.#connectionName(context, request));
    const before = connection.size;
    connection.send(`*${request.length}\r\n${request.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join("")}`);
    await connection.until(() => connection.size >= before + reply.length);
    if (context === "flow" && reply.startsWith("*2")) this.#flows++;
    return connection
      .bytes()
      .subarray(before, before + reply.length)
      .toString("latin1");
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.close();
  }

  #connectionName(context: string, request: readonly string[]): string {
    if (context === "flow" && request[1] === "FLOW") return `flow ${this.#flows}`;
    return context === "idle master" || context === "before any handshake" || context.endsWith("another client")
      ? "probe"
      : "control";
  }

  async #acknowledge(): Promise<void> {
    for (const [i, lsn] of [1, 2].entries()) (await this.connection(`flow ${i}`)).send(`REPLCONF ACK ${lsn}\r\n`);
    await until(() => this.#master.replication.replicas()[0]?.lag === 0);
  }

  async #closeFlow(): Promise<void> {
    (await this.connection("flow 0")).close();
    await (await this.connection("flow 1")).untilClosed();
    expect((await this.connection("control")).closed).toBe(false);
  }
}

describe.each([
  ["dragonfly-1.40.1", "df-v1.40.1"],
  ["dragonfly-1.27.4", "df-v1.27.4"],
])("%s", (directory, version) => {
  test("answers every request about replication as recorded", async () => {
    const exchanges = dialogs(directory);
    await using master = await BareMaster.start({ version, masterId: masterIdIn(exchanges), shards: 2 });
    const [, writer] = master.shards.map((shard) => new TestWriter(shard, new SeededRandom(1), 1));
    const dialog = new Dialog(master);
    let asked = 0;
    for (const exchange of exchanges) {
      const { request, reply, context } = exchange;
      if (request?.[0] === "SET" && context.startsWith("stable sync")) writer?.set(0, "a", "b");
      if (request === undefined || reply === undefined || !isAboutReplication(request)) continue;
      const got = await dialog.ask(exchange);
      const what = `${context}: ${request.join(" ")}`;
      expect(`${what}\n${got.replace(EOF_TOKEN, "token")}`).toBe(`${what}\n${reply.replace(EOF_TOKEN, "token")}`);
      asked++;
    }
    expect(asked).toBeGreaterThan(40);
    dialog.close();
  });
});
