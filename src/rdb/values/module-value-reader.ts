/**
 * Module data (7, and the MODULE_AUX opcode): items with an opcode each, up to an end mark. Only ReJSON's one string has a meaning here;
 * the rest is moved over. Redis src/rdb.c rdbLoadCheckModuleValue, src/module.c moduleTypeEncodeId.
 */
import type { Cursor } from "../../bytes/cursor.ts";
import { Slice } from "../../bytes/slice.ts";
import { readLen, readLen64 } from "../../bytes/packed-uint.ts";
import type { RdbHandler } from "../rdb-handler.ts";
import { readString } from "../rdb-string.ts";
import type { SkipReader, ValueReader } from "./value-reader.ts";

const RDB_MODULE_OPCODE_EOF = 0;
const RDB_MODULE_OPCODE_SINT = 1;
const RDB_MODULE_OPCODE_UINT = 2;
const RDB_MODULE_OPCODE_FLOAT = 3;
const RDB_MODULE_OPCODE_DOUBLE = 4;
const RDB_MODULE_OPCODE_STRING = 5;

const NAME_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

export class ModuleValueReader<T> implements ValueReader<T> {
  isDone = false;
  readonly #isJson: boolean;
  readonly #limitBytes: number;
  readonly #text = new Slice();

  constructor(isJson: boolean, limitBytes: number) {
    this.#isJson = isJson;
    this.#limitBytes = limitBytes;
  }

  next(cursor: Cursor, handler: RdbHandler<T>, value: T): void {
    const opcode = readModuleItem(cursor, this.#text, this.#limitBytes);
    if (opcode === RDB_MODULE_OPCODE_EOF) this.isDone = true;
    else if (opcode === RDB_MODULE_OPCODE_STRING && this.#isJson) handler.json(value, this.#text);
  }

  release(): void {
    this.#text.release();
  }
}

/** The items of MODULE_AUX, which belong to no key. */
export class ModuleAuxReader implements SkipReader {
  isDone = false;
  readonly #limitBytes: number;
  readonly #text = new Slice();

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  next(cursor: Cursor): void {
    this.isDone = readModuleItem(cursor, this.#text, this.#limitBytes) === RDB_MODULE_OPCODE_EOF;
  }
}

/** Reads one item and returns its opcode; a string's bytes are in `out`. */
function readModuleItem(cursor: Cursor, out: Slice, limitBytes: number): number {
  const opcode = readLen(cursor);
  switch (opcode) {
    case RDB_MODULE_OPCODE_EOF:
      break;
    case RDB_MODULE_OPCODE_SINT:
    case RDB_MODULE_OPCODE_UINT:
      readLen64(cursor);
      break;
    case RDB_MODULE_OPCODE_FLOAT:
      cursor.skip(4);
      break;
    case RDB_MODULE_OPCODE_DOUBLE:
      cursor.skip(8);
      break;
    case RDB_MODULE_OPCODE_STRING:
      readString(cursor, out, limitBytes);
      break;
    default:
      cursor.corrupt(`${opcode} is no item of module data`);
  }
  return opcode;
}

/** Nine characters of six bits, then ten bits of version. */
export function moduleName(id: bigint): string {
  let name = "";
  for (let shift = 58n; shift >= 10n; shift -= 6n) name += NAME_CHARACTERS[Number((id >> shift) & 63n)] ?? "";
  return name;
}
