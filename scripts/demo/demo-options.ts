/** What both kinds of the demo take. */
export type DemoOptions = {
  /** What is run as the tool: program and leading arguments. */
  readonly command: readonly string[];
  /** A directory that is removed afterwards, for what a run leaves behind. */
  readonly stateDir: string;
  readonly print: (text: string) => void;
};
