/** docs/reference/errors.md from src/errors/codes.ts. */
import { ERROR_CODES, type ErrorDoc } from "../../src/errors/codes.ts";
import { GENERATED, type Page } from "./page.ts";

function section([code, doc]: readonly [string, ErrorDoc]): string {
  const retry = doc.retryable ? "Trying again may help." : "Trying again without a change does not help.";
  return `## ${code}\n\n${doc.meaning}\n\n**What to do.** ${doc.action}\n\n${retry}\n`;
}

export const page: Page = {
  path: "docs/reference/errors.md",
  render() {
    const intro = "Every error that df2redis reports has one of these codes. Codes are never renamed.";
    return `${GENERATED}\n\n# Errors\n\n${intro}\n\n${Object.entries(ERROR_CODES).map(section).join("\n")}`;
  },
};
