/** What both kinds of the demo take. */
export type DemoOptions = {
  /** What is run as the tool: program and leading arguments. */
  readonly command: readonly string[];
  readonly print: (text: string) => void;
};
