import { expect, test } from "vitest";
import { nearest } from "./did-you-mean.ts";

const KEYS = ["addr", "user", "password", "passwordFile", "tls"];

test.each([
  ["pasword", "password"],
  ["password_file", "passwordFile"],
  ["PASSWORD", "password"],
  ["adrd", "addr"],
  ["usr", "user"],
])("%s is meant as %s", (name, meant) => expect(nearest(name, KEYS)).toBe(meant));

test.each(["zzz", "x", "", "completely", "p".repeat(100)])("%j is like none of them", (name) => {
  expect(nearest(name, KEYS)).toBeUndefined();
});
