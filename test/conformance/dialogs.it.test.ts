/**
 * The dialogs about replication that were recorded with a real Dragonfly (dialogs.ndjson): the source answers each request in each state with the same
 * bytes, ids aside. A Dragonfly of a release that was not recorded is not compared.
 */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { RawConnection } from "../support/raw-connection.ts";
import { RECORDINGS_DIRECTORY } from "../support/recordings.ts";
import { openTestSource, skipUnless, SOURCE_KIND, type TestSource } from "../support/test-source.ts";
import { untilNoLag } from "./live-run.ts";

type Dialog = { readonly context: string; readonly request?: readonly string[]; readonly reply: string };

/** Of the contexts in which a session lives; the others are about clients. */
const FIRST_CONTEXT = "before any handshake";
const LAST_CONTEXT = "one flow closed by us";
/** Counters of the connection and of the machine. */
const NOT_COMPARED = new Set(["CLIENT LIST", "DFLY HELP", "DFLY THREAD"]);
const FULLSYNC_END = Buffer.from([200, 0, 0, 0, 0, 0, 0, 0, 0]);

function recordedDialogs(version: string): Dialog[] | undefined {
  const file = path.join(RECORDINGS_DIRECTORY, `dragonfly-${version}`, "dialogs.ndjson");
  if (!existsSync(file)) return undefined;
  const lines = readFileSync(file, "utf8").trim().split("\n");
  const dialogs = lines.map((line) => JSON.parse(line) as Dialog);
  const first = dialogs.findIndex(({ context }) => context === FIRST_CONTEXT);
  const last = dialogs.findLastIndex(({ context, request }) => context === LAST_CONTEXT && request !== undefined);
  return dialogs.slice(first, last + 1).filter(({ request = [] }) => !NOT_COMPARED.has(request.slice(0, 2).join(" ")));
}

/** Ids differ from run to run; which is which does not. */
function masked(reply: string): string {
  return reply.replaceAll(/[0-9a-f]{40}/g, "<id>").replaceAll(/SYNC\d+/g, "<sync id>");
}

class DialogPlayer {
  readonly flows: RawConnection[] = [];
  readonly #source: TestSource;
  readonly #control: RawConnection;
  readonly #other: RawConnection;
  /** The recorded ids, and those of this run. */
  readonly #ids = new Map<string, string>();
  #flow: RawConnection | undefined;

  private constructor(source: TestSource, control: RawConnection, other: RawConnection) {
    this.#source = source;
    this.#control = control;
    this.#other = other;
  }

  static async open(source: TestSource): Promise<DialogPlayer> {
    const { port } = source.endpoint;
    return new DialogPlayer(source, await RawConnection.open(port), await RawConnection.open(port));
  }

  /** Does what the context needs, sends the request and gives the reply. */
  async play({ context, request = [], reply }: Dialog): Promise<string> {
    if (request[1] === "STARTSTABLE" && context === "full sync") await this.#untilSnapshotsEnd();
    if (context.startsWith("stable sync, acknowledged")) await this.#acknowledge();
    if (context === LAST_CONTEXT) await this.#closeOneFlow();
    const words = request.map((word) => this.#ids.get(word) ?? word);
    const connection = await this.#connectionFor(context);
    const answer = await ask(connection, words, reply);
    this.#learn(request, answer, reply);
    return answer;
  }

  close(): void {
    for (const connection of [this.#control, this.#other, ...this.flows]) connection.close();
  }

  async #connectionFor(context: string): Promise<RawConnection> {
    if (context.endsWith("another client")) return this.#other;
    if (context !== "flow") return this.#control;
    this.#flow ??= await RawConnection.open(this.#source.endpoint.port);
    return this.#flow;
  }

  #learn(request: readonly string[], answer: string, recorded: string): void {
    if (request.join(" ") === "REPLCONF capa dragonfly") {
      const [ours, theirs] = [answer, recorded].map((text) => text.split("\r\n").map((line) => line.slice(1)));
      for (const at of [1, 2]) this.#ids.set(theirs?.[at] ?? "", ours?.[at] ?? "");
    }
    if (request[1] === "FLOW" && answer.startsWith("*2") && this.#flow !== undefined) {
      this.flows.push(this.#flow);
      this.#flow = undefined;
    }
  }

  async #untilSnapshotsEnd(): Promise<void> {
    for (const flow of this.flows) await flow.until(() => flow.bytes().includes(FULLSYNC_END));
  }

  async #acknowledge(): Promise<void> {
    for (const [i, flow] of this.flows.entries()) flow.send(`REPLCONF ACK ${i + 1}\r\n`);
    await using client = await this.#source.client();
    await untilNoLag(client, 10_000);
  }

  async #closeOneFlow(): Promise<void> {
    const [first, ...others] = this.flows;
    first?.close();
    for (const flow of others) await flow.untilClosed();
  }
}

/** Waits for as many lines as were recorded, or for an error. */
async function ask(connection: RawConnection, words: readonly string[], recorded: string): Promise<string> {
  const before = connection.size;
  connection.send(`*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`);
  const answer = (): string => connection.bytes().toString("latin1", before);
  const lines = recorded.split("\r\n").length - 1;
  await connection.until(() => isWhole(answer(), lines));
  return answer();
}

function isWhole(answer: string, lines: number): boolean {
  if (answer.startsWith("-")) return answer.endsWith("\r\n");
  const bulk = /^\$(\d+)\r\n/.exec(answer);
  if (bulk !== null) return answer.length >= bulk[0].length + Number(bulk[1]) + 2;
  return answer.split("\r\n").length - 1 >= lines;
}

const versions = SOURCE_KIND === "simulator" ? ["df-v1.40.1", "df-v1.27.4"] : ["of its own"];
const { skip, note } = skipUnless("shards");

describe.each(versions)("a source of the release %s", (version) => {
  test.skipIf(skip)(`answers every request about replication as recorded${note}`, async (context) => {
    // The recordings were made with two threads; where a key lies, and so each LSN, depends on it.
    await using source = await openTestSource({ shards: 2, flags: SOURCE_KIND === "simulator" ? { version } : {} });
    await using client = await source.client();
    const info = String(await client.call("INFO", "SERVER"));
    const release = /dragonfly_version:df-v([\d.]+)/.exec(info)?.[1] ?? "unknown";
    const dialogs = recordedDialogs(release);
    if (dialogs === undefined) return context.skip(`there are no recorded dialogs of the release ${release}`);
    const player = await DialogPlayer.open(source);
    const answers: [string, string, string][] = [];
    for (const dialog of dialogs) {
      const answer = await player.play(dialog);
      answers.push([dialog.context, dialog.request?.join(" ") ?? "", masked(answer)]);
    }
    player.close();
    expect(answers).toEqual(
      dialogs.map(({ context: where, request = [], reply }) => [where, request.join(" "), masked(reply)]),
    );
    expect(dialogs.length).toBeGreaterThan(35);
  });
});
