/**
 * What a snapshot holds of features that a plain Redis lacks, by the run's plan: documents, filters and sketches, stickiness, scripts, search
 * indices (docs/features.md). One per flow. Copies all that it is given into the encoder; keeps nothing.
 */
import type { Slice } from "../../bytes/slice.ts";
import type { ObjectHeader, ValueKind } from "../../rdb/rdb-handler.ts";
import type { CommandEncoder } from "../../resp/command-encoder.ts";
import type { TargetCapabilities } from "../capabilities.ts";
import type { Feature, FeaturePlan } from "../features.ts";
import type { LossKind, LossRecorder } from "../losses.ts";
import type { NativeWriter } from "./native-writer.ts";
import { refuseFeature } from "./refuse-feature.ts";
import { encodeScriptLoad } from "./script-load.ts";
import { definitionWords, encodeCreateIndex } from "./search-definition.ts";
import type { StreamedValue } from "./streamed-value.ts";
import { checkBulk } from "./write-mode.ts";

/** Kinds that some targets cannot hold. */
const FEATURE_OF_KIND: Partial<Record<ValueKind, Feature & LossKind>> = {
  json: "json",
  bloom: "bloom",
  cuckoo: "cuckoo",
  cms: "cms",
  topk: "topk",
};

export type SnapshotFeaturesOptions = {
  readonly encoder: CommandEncoder;
  readonly native: NativeWriter;
  readonly capabilities: TargetCapabilities;
  readonly losses: LossRecorder;
  readonly plan: FeaturePlan;
  /** Whether this flow stands for what every flow carries alike. */
  readonly carriesGlobals: boolean;
};

export class SnapshotFeatures {
  readonly #encoder: CommandEncoder;
  readonly #native: NativeWriter;
  readonly #losses: LossRecorder;
  readonly #plan: FeaturePlan;
  readonly #carriesGlobals: boolean;
  readonly #hasScripts: boolean;
  readonly #maxBulkBytes: number;

  constructor(options: SnapshotFeaturesOptions) {
    this.#encoder = options.encoder;
    this.#native = options.native;
    this.#losses = options.losses;
    this.#plan = options.plan;
    this.#carriesGlobals = options.carriesGlobals;
    this.#maxBulkBytes = options.capabilities.maxBulkBytes;
    this.#hasScripts = options.capabilities.commands.has("EVAL");
  }

  /** Before a value of `kind`. What is not carried is a loss as a whole, whatever its attributes. */
  value(object: ObjectHeader, kind: ValueKind): void {
    if (kind === "module") return this.#losses.record("moduleData", object.db, object.key);
    const feature = FEATURE_OF_KIND[kind];
    if (feature === undefined) return this.attributes(object);
    const choice = this.#plan[feature];
    if (choice === "fail") refuseFeature(feature, object.db, object.key);
    if (choice === "drop") return this.#losses.record(feature, object.db, object.key);
    if (choice === "convert") this.#losses.record("jsonAsText", object.db, object.key);
    this.attributes(object);
  }

  attributes(object: ObjectHeader): void {
    if (object.sticky) {
      if (this.#plan.sticky === "fail") refuseFeature("sticky", object.db, object.key);
      this.#losses.record("sticky", object.db, object.key);
    }
    if (object.mcFlags > 0) this.#losses.record("memcacheFlags", object.db, object.key);
  }

  /** A whole document; a dropped one leaves the key to the end of its value, which deletes it. */
  document(value: StreamedValue, text: Slice): void {
    if (this.#plan.json === "drop") return;
    checkBulk(text.length, this.#maxBulkBytes, value);
    if (this.#plan.json === "native") this.#nativeDocument(value, text);
    else this.#textDocument(value, text);
  }

  aux(name: string, value: Slice, key: Slice): void {
    switch (name) {
      case "lua":
        return this.#script(value, key);
      case "search-index":
        return this.#searchIndex(value, key);
      case "search-synonyms":
        return this.#synonyms(value, key);
    }
  }

  #nativeDocument(value: StreamedValue, text: Slice): void {
    this.#native.open(value);
    value.written = true;
    const encoder = this.#encoder;
    encoder.begin(4);
    encoder.argText("JSON.SET");
    encoder.arg(value.key);
    encoder.argText("$");
    encoder.arg(text);
  }

  #textDocument(value: StreamedValue, text: Slice): void {
    const { expireAtMs } = value;
    // SET refuses such a deadline; the end of the value deletes the key.
    if (expireAtMs <= 0 && expireAtMs !== -1) return;
    value.opened = true;
    this.#encoder.select(value.db);
    this.#encoder.set(value.key, text, expireAtMs);
  }

  #script(body: Slice, key: Slice): void {
    if (this.#plan.lua === "fail") refuseFeature("lua", -1, key);
    if (this.#plan.lua === "native") encodeScriptLoad(this.#encoder, body);
    else this.#losses.record("lua", -1, key);
  }

  #searchIndex(definition: Slice, key: Slice): void {
    if (!this.#isSearchWanted(key)) return;
    const words = definitionWords(definition);
    if (words === undefined) return this.#losses.record("search", -1, key);
    this.#encoder.select(0);
    encodeCreateIndex(this.#encoder, words, this.#hasScripts);
  }

  /** `index group term…`. */
  #synonyms(definition: Slice, key: Slice): void {
    if (!this.#isSearchWanted(key)) return;
    const words = definitionWords(definition);
    if (words === undefined) return this.#losses.record("search", -1, key);
    const encoder = this.#encoder;
    encoder.select(0);
    encoder.begin(1 + words.length);
    encoder.argText("FT.SYNUPDATE");
    for (const word of words) encoder.arg(word);
  }

  #isSearchWanted(key: Slice): boolean {
    if (!this.#carriesGlobals) return false;
    if (this.#plan.search === "fail") refuseFeature("search", -1, key);
    if (this.#plan.search === "native") return true;
    this.#losses.record("search", -1, key);
    return false;
  }
}
