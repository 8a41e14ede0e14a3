import { describe, expect, test } from "vitest";
import { takeCommandLines } from "../../../test/support/parse-commands.ts";
import { Slice } from "../../bytes/slice.ts";
import { CommandEncoder } from "../../resp/command-encoder.ts";
import { definitionWords, encodeCreateIndex } from "./search-definition.ts";

function wordsOf(text: string): string[] | undefined {
  const around = Buffer.from(`xx ${text} yy`);
  return definitionWords(new Slice().set(around, 3, around.length - 3))?.map((word) => word.toText());
}

describe("the words of a definition", () => {
  test.each([
    "idx ON HASH SCHEMA a AS a TEXT WEIGHT 1.000000",
    "idx ON JSON PREFIX 2 a: b: LANGUAGE english SCHEMA $.a AS a TAG SEPARATOR , SORTABLE",
    "idx ON HASH STOPWORDS 0 NOOFFSETS LANGUAGE english LANGUAGE_FIELD l SCHEMA a AS a GEO",
    "idx ON HASH PREFIX 1 p STOPWORDS 2 the of SCHEMA v AS v VECTOR FLAT 8 TYPE FLOAT32 DIM 2 DISTANCE_METRIC L2 INITIAL_CAP 4",
  ])("%s", (text) => {
    expect(wordsOf(text)).toEqual(text.split(" "));
  });

  test("put the separator of a tag before SORTABLE, as older masters do not", () => {
    expect(
      wordsOf("idx ON HASH SCHEMA a AS a TAG SORTABLE SEPARATOR ; b AS b TAG SORTABLE SEPARATOR , CASESENSITIVE")?.join(
        " ",
      ),
    ).toBe("idx ON HASH SCHEMA a AS a TAG SEPARATOR ; SORTABLE b AS b TAG SEPARATOR , SORTABLE CASESENSITIVE");
  });

  test.each([
    ["a separator that is a space", "idx ON HASH SCHEMA a AS a TAG SEPARATOR   SORTABLE"],
    ["one at the end", "idx ON HASH SCHEMA a AS a TAG SEPARATOR  "],
    ["a prefix with a space", "idx ON HASH PREFIX 1 a b LANGUAGE english SCHEMA a AS a TEXT"],
    ["a number of prefixes below zero", "idx ON HASH PREFIX -2 a SCHEMA a AS a TEXT"],
    ["fewer prefixes than announced", "idx ON HASH PREFIX 9 a SCHEMA a AS a TEXT"],
    ["nothing", ""],
  ])("are not guessed at: %s", (_, text) => {
    expect(wordsOf(text)).toBeUndefined();
  });
});

test("words of Dragonfly's own are left out, fields of that name are not", () => {
  const encoder = new CommandEncoder(1024);
  const text = "idx CSS ON HASH SCHEMA nx AS css NUMERIC BLOCKSIZE 7 NOINDEX n AS BLOCKSIZE NUMERIC";
  encodeCreateIndex(
    encoder,
    text.split(" ").map((word) => Slice.from(word)),
    false,
  );
  expect(takeCommandLines(encoder)).toEqual([
    "FT.CREATE idx ON HASH SCHEMA nx AS css NUMERIC NOINDEX n AS BLOCKSIZE NUMERIC",
  ]);
});
