/** Runs translated journal entries on a real server and asks it what came of them. */
import { JournalTranslation, type Word } from "./journal-translation.ts";
import { takeCommands } from "./parse-commands.ts";
import { type Reply, type RespClient, RespError } from "./resp-client.ts";

/** Words separated by one space. */
type Line = string;

export type JournalScenario = {
  /** Commands that a client sends the target first. */
  readonly before?: readonly Line[];
  /** Journal entries. */
  readonly entries: readonly (Line | readonly Word[])[];
  /** A question, and its reply as JSON would show it. */
  readonly after: readonly (readonly [question: Line, answer: unknown])[];
};

/** A deadline that no test lives to see. */
export const FUTURE_MS = Date.now() + 3_600_000;

export class JournalEffects {
  readonly #client: RespClient;
  translation = new JournalTranslation({ now: Date.now() });

  constructor(client: RespClient) {
    this.#client = client;
  }

  /** The questions of the scenario with the replies that they got. `release`: held deadlines are put in place before. */
  async run(scenario: JournalScenario, options: { readonly release?: boolean } = {}): Promise<[Line, unknown][]> {
    for (const line of scenario.before ?? []) await this.#client.call(...words(line));
    for (const entry of scenario.entries) this.translation.translate(words(entry));
    await this.send();
    if (options.release === true) await this.release();
    const answers: [Line, unknown][] = [];
    for (const [question] of scenario.after) answers.push([question, await this.ask(question)]);
    return answers;
  }

  async release(): Promise<void> {
    this.translation.translator.deadlines.release(this.translation.encoder, "all");
    await this.send();
  }

  /** Sends what the translator encoded; throws on the first error reply. Ends in database 0. */
  async send(): Promise<void> {
    const replies = await this.#client.pipeline([...takeCommands(this.translation.encoder), ["SELECT", 0]]);
    this.translation.encoder.forgetDatabase();
    const error = replies.find((reply) => reply instanceof RespError);
    if (error instanceof RespError) throw error;
  }

  async ask(question: Line): Promise<unknown> {
    return readable(await this.#client.call(...words(question)));
  }
}

function words(line: Line | readonly Word[]): readonly Word[] {
  return typeof line === "string" ? line.split(" ") : line;
}

function readable(reply: Reply): unknown {
  if (Buffer.isBuffer(reply)) return reply.toString();
  return Array.isArray(reply) ? (reply as readonly Reply[]).map(readable) : reply;
}
