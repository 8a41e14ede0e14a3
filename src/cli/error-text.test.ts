import { describe, expect, test } from "vitest";
import { ERROR_CODES } from "../errors/codes.ts";
import { asDf2RedisError, Df2RedisError } from "../errors/df2redis-error.ts";
import { errorFacts, errorText } from "./error-text.ts";

const REFUSED = new Df2RedisError("CONNECT_FAILED", "Cannot connect to the source.", {
  context: { address: "h:1", flow: undefined },
  cause: Object.assign(new Error("write ENOSPC"), { code: "ENOSPC" }),
});

test("for people: code, message, facts, causes in plain words, and what to do", () => {
  expect(errorText(REFUSED)).toBe(`error CONNECT_FAILED: Cannot connect to the source.
  where: address h:1
  because: the disk is full (write ENOSPC)
  what to do: ${ERROR_CODES.CONNECT_FAILED.action}
`);
});

test("for programs: the same as data", () => {
  expect(errorFacts(REFUSED)).toEqual({
    code: "CONNECT_FAILED",
    message: "Cannot connect to the source.",
    context: { address: "h:1", flow: undefined },
    causes: ["the disk is full (write ENOSPC)"],
    retryable: true,
    action: ERROR_CODES.CONNECT_FAILED.action,
  });
});

describe("causes", () => {
  test("the whole chain, without repetitions", () => {
    const chain = new Error("outer", { cause: new Error("outer", { cause: new Error("inner", { cause: "text" }) }) });
    expect(errorFacts(new Df2RedisError("TIMEOUT", "outer", { cause: chain }))["causes"]).toEqual(["inner", "text"]);
  });

  test("a circle ends", () => {
    const a = new Error("a");
    a.cause = new Error("b", { cause: a });
    expect(errorFacts(new Df2RedisError("TIMEOUT", "x", { cause: a }))["causes"]).toHaveLength(8);
  });

  test("a defect comes with its stack", () => {
    expect(errorText(asDf2RedisError(new TypeError("oops")))).toMatch(
      /error INTERNAL: oops\n(?:.*\n)*TypeError: oops\n +at /,
    );
  });
});

test("foreign words can neither steer the terminal nor show a URL's password", () => {
  const error = new Df2RedisError("CONNECTION_LOST", "bye \u001b[2J redis://u:hunter2@h:1", {
    cause: new Error("rediss://:hunter2@h"),
  });
  expect(errorText(error)).toContain("bye \\x1b[2J redis://***@h:1");
  expect(errorText(error) + JSON.stringify(errorFacts(error))).not.toContain("hunter2");
});
