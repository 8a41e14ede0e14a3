import { describe, expect, test } from "vitest";
import { parseServerAddress } from "./server-url.ts";

const none = { user: undefined, password: undefined, tls: undefined };

describe("parseServerAddress accepts", () => {
  test.each([
    ["127.0.0.1:6380", { host: "127.0.0.1", port: 6380, ...none }],
    ["a-b_c.example:1", { host: "a-b_c.example", port: 1, ...none }],
    ["[::1]:65535", { host: "::1", port: 65535, ...none }],
    ["[fe80::1%eth0]:6379", { host: "fe80::1%eth0", port: 6379, ...none }],
    ["redis://h:1", { host: "h", port: 1, ...none }],
    ["redis://h:1/", { host: "h", port: 1, ...none }],
    ["redis://h:1/0", { host: "h", port: 1, ...none }],
    ["REDIS://h:1", { host: "h", port: 1, ...none }],
    ["dragonfly://[::1]:2", { host: "::1", port: 2, ...none }],
    ["rediss://h:1", { host: "h", port: 1, ...none, tls: true }],
    ["redis://u:p@h:1", { host: "h", port: 1, user: "u", password: "p", tls: undefined }],
    ["redis://:p@h:1", { host: "h", port: 1, user: undefined, password: "p", tls: undefined }],
    ["redis://u:p%40%2F%3a@h:1", { host: "h", port: 1, user: "u", password: "p@/:", tls: undefined }],
    ["redis://u:a:b@h:1", { host: "h", port: 1, user: "u", password: "a:b", tls: undefined }],
  ])("%s", (text, address) => {
    expect(parseServerAddress(text)).toEqual({ address });
  });
});

describe("parseServerAddress refuses, saying why and without repeating the text", () => {
  test.each([
    ["", /is empty/],
    ["hunter2", /port is missing/],
    ["hunter2:", /port is missing/],
    [":6379", /host is missing/],
    ["hunter2:0", /port is not a whole number/],
    ["hunter2:65536", /port is not a whole number/],
    ["hunter2:1e3", /port is not a whole number/],
    ["::1:6379", /more than one colon.*brackets/],
    ["[hunter2]:6379", /host is missing/],
    ["u:hunter2@h:1", /neither an address nor a URL/],
    ["redis:/u:hunter2@h:1", /neither an address nor a URL/],
    ["http://h:1", /scheme is not known; allowed: redis:\/\/, rediss:\/\/, dragonfly:\/\//],
    ["constructor://h:1", /scheme is not known/],
    ["redis://hunter2@h:1", /no colon/],
    ["redis://u:@h:1", /empty password/],
    ["redis://u:%hunter2@h:1", /write a % as %25/],
    ["redis://u:hun/ter2@h:1", /must escape/],
    ["redis://u:hun#ter2@h:1", /must escape/],
    ["redis://u:hunter2@h:1/1", /all databases are copied/],
    ["redis://u:hunter2@h:1/x", /has a path/],
    ["redis://u:hunter2@h:1?db=0", /query parameters are not supported/],
    ["redis://u:hunter2@h:1/0?db=0", /query parameters are not supported/],
    ["redis://u:hunter2@h:1#x", /holds a #/],
    ["redis://u:hunter2@h", /port is missing/],
  ])("%s", (text, words) => {
    const result = parseServerAddress(text);
    expect(result).toEqual({ problem: expect.stringMatching(words) });
    expect(JSON.stringify(result)).not.toMatch(/hunter2|ter2/);
  });
});
