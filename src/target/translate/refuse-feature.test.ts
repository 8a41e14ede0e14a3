import { expect, test } from "vitest";
import { Slice } from "../../bytes/slice.ts";
import { FEATURES } from "../features.ts";
import { refuseFeature } from "./refuse-feature.ts";

test("names feature, key, database and the key of the configuration", () => {
  expect(() => refuseFeature("bloom", 3, Slice.from("user:1"))).toThrow(
    expect.objectContaining({
      code: "FEATURE_UNSUPPORTED",
      message:
        'the source holds Bloom filters, the first at key "user:1" of database 3, and unsupported.bloom is fail: choose drop for it to go on',
      context: { feature: "bloom", db: 3, key: "user:1" },
    }),
  );
});

test("shows keys that are no text as bytes", () => {
  expect(() => refuseFeature("json", 0, Slice.from(Buffer.from([0x61, 0xff, 0x1b])))).toThrow(
    expect.objectContaining({ context: { feature: "json", db: 0, key: "a\\xff\\x1b" } }),
  );
});

test("what belongs to no database has no key either", () => {
  expect(() => refuseFeature("lua", -1, Slice.from("lua"))).toThrow(
    expect.objectContaining({
      message:
        "the source holds Lua scripts in the source's cache, and unsupported.lua is fail: choose native or drop for it to go on",
      context: { feature: "lua" },
    }),
  );
});

test.each(FEATURES)("%s has another choice to name", (feature) => {
  expect(() => refuseFeature(feature, 0, Slice.from("k"))).toThrow(/: choose .*drop for it/);
});
