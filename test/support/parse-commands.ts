/** Reads back what a `CommandEncoder` wrote, strictly: anything that a server could not parse is an error here. */
import type { CommandEncoder } from "../../src/resp/command-encoder.ts";

/** Takes all commands that the encoder holds. */
export function takeCommands(encoder: CommandEncoder): Buffer[][] {
  const batch = encoder.take();
  if (batch === undefined) return [];
  const commands = parseCommands(Buffer.from(batch.bytes()));
  if (commands.length !== batch.count) throw new Error(`${batch.count} commands announced, ${commands.length} found`);
  encoder.release(batch);
  return commands;
}

/** As lines of text, arguments separated by one space. */
export function takeCommandLines(encoder: CommandEncoder): string[] {
  return takeCommands(encoder).map((args) => args.map((arg) => arg.toString()).join(" "));
}

export function parseCommands(bytes: Buffer): Buffer[][] {
  const commands: Buffer[][] = [];
  let at = 0;
  const count = (marker: string): number => {
    const end = bytes.indexOf("\r\n", at);
    const line = bytes.toString("latin1", at, end);
    if (end < 0 || !/^[*$](?:0|[1-9]\d*)$/.test(line) || line[0] !== marker)
      throw new Error(`at ${at}: "${line}" is no ${marker} line`);
    at = end + 2;
    return Number(line.slice(1));
  };
  while (at < bytes.length) {
    const args: Buffer[] = [];
    for (let argc = count("*"); argc > 0; argc--) {
      const size = count("$");
      const end = at + size;
      if (bytes.toString("latin1", end, end + 2) !== "\r\n")
        throw new Error(`at ${at}: an argument of ${size} bytes does not end in CRLF`);
      args.push(bytes.subarray(at, end));
      at = end + 2;
    }
    commands.push(args);
  }
  return commands;
}
