/** Writes a dataset to a temporary directory, as the bytes of N flows and as native commands, in constant memory. */
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Compression } from "./blob-compressor.ts";
import { ByteWriter } from "./byte-writer.ts";
import { type DatasetOptions, generateObjects } from "./dataset.ts";
import { GeneratedFlow } from "./generated-flow.ts";
import { writeCommand } from "./native-commands.ts";

const WRITE_BYTES = 1 << 20;

export type DataFiles = Disposable & {
  readonly flowFiles: readonly string[];
  /** undefined when no commands were asked for. */
  readonly commandFile: string | undefined;
  readonly flowBytes: number;
  readonly commandBytes: number;
};

export type DataFilesOptions = {
  readonly flows: number;
  readonly compression: Compression;
  readonly withCommands: boolean;
};

/** Object i goes to flow i mod N. */
export function writeDataFiles(dataset: DatasetOptions, options: DataFilesOptions): DataFiles {
  return writeFiles(options, (flows, commands) => {
    let next = 0;
    for (const object of generateObjects(dataset)) {
      flows[next++ % flows.length]?.add(object);
      commands?.write((out) => writeCommand(out, object));
    }
  });
}

/** One hash of `fields` fields in tagged chunks, on flow 0. */
export function writeHugeHash(fields: number, options: Omit<DataFilesOptions, "withCommands">): DataFiles {
  return writeFiles({ ...options, withCommands: false }, (flows) =>
    flows[0]?.addHugeHash(Buffer.from("huge"), fields, hugePairs(fields)),
  );
}

function* hugePairs(fields: number): Generator<readonly [Buffer, Buffer]> {
  const objects = generateObjects({ keys: fields, kinds: ["string"] });
  for (const { key, parts } of objects) yield [key, parts[0] as Buffer];
}

function writeFiles(
  options: DataFilesOptions,
  fill: (flows: readonly GeneratedFlow[], commands: FileSink | undefined) => void,
): DataFiles {
  const directory = mkdtempSync(path.join(tmpdir(), "df2redis-bench-"));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  process.on("exit", remove);
  const flowSinks = Array.from(
    { length: options.flows },
    (_, flow) => new FileSink(path.join(directory, `flow${flow}`)),
  );
  const commands = options.withCommands ? new FileSink(path.join(directory, "commands")) : undefined;
  const flows = flowSinks.map(
    (sink) =>
      new GeneratedFlow({ compression: options.compression, sink: (bytes) => sink.write((out) => out.copy(bytes)) }),
  );
  fill(flows, commands);
  for (const flow of flows) flow.end();
  for (const sink of flowSinks) sink.close();
  commands?.close();
  return {
    flowFiles: flowSinks.map((sink) => sink.file),
    commandFile: commands?.file,
    flowBytes: flows.reduce((sum, flow) => sum + flow.wireBytes, 0),
    commandBytes: commands?.bytes ?? 0,
    [Symbol.dispose]: () => {
      process.off("exit", remove);
      remove();
    },
  };
}

class FileSink {
  readonly file: string;
  bytes = 0;
  readonly #descriptor: number;
  readonly #out = new ByteWriter();

  constructor(file: string) {
    this.file = file;
    this.#descriptor = openSync(file, "w");
  }

  write(fill: (out: ByteWriter) => void): void {
    fill(this.#out);
    if (this.#out.length >= WRITE_BYTES) this.#flush();
  }

  close(): void {
    this.#flush();
    closeSync(this.#descriptor);
  }

  #flush(): void {
    const bytes = this.#out.bytes();
    for (let at = 0; at < bytes.length;) at += writeSync(this.#descriptor, bytes, at);
    this.bytes += bytes.length;
    this.#out.clear();
  }
}
