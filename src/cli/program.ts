/** The command line as a whole. Parsing has no effect but through the handlers given here. */
import { Command } from "commander";
import { addDoctorCommand, type DoctorOptions } from "./commands/doctor.ts";
import { addMigrateCommand } from "./commands/migrate.ts";
import { addReplicateCommand } from "./commands/replicate.ts";
import { addSimulateCommand, type SimulateOptions } from "./commands/simulate.ts";
import { addVersionCommand, packageVersion } from "./commands/version.ts";
import type { RunCommandOptions } from "./run-command.ts";

export type ProgramHandlers = {
  readonly run: (options: RunCommandOptions) => Promise<void>;
  readonly doctor: (options: DoctorOptions) => Promise<void>;
  readonly simulate: (options: SimulateOptions) => Promise<void>;
  readonly writeOut: (text: string) => void;
  readonly writeErr: (text: string) => void;
  readonly columns: number;
};

const MAX_HELP_COLUMNS = 120;

export function buildProgram(handlers: ProgramHandlers): Command {
  const program = new Command("df2redis");
  const columns = (): number => Math.min(MAX_HELP_COLUMNS, handlers.columns);
  program
    .description(
      "Move a live Dragonfly to Redis: copy its snapshot on all flows, follow its journal, say plainly what happens.",
    )
    .version(packageVersion(), "--version", "show the version")
    .exitOverride()
    .configureOutput({
      writeOut: handlers.writeOut,
      writeErr: handlers.writeErr,
      // Errors are shown by whoever catches them.
      outputError: () => {},
      getOutHelpWidth: columns,
      getErrHelpWidth: columns,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  addReplicateCommand(program, handlers.run);
  addMigrateCommand(program, handlers.run);
  addDoctorCommand(program, handlers.doctor);
  addSimulateCommand(program, handlers.simulate);
  addVersionCommand(program, handlers.writeOut);
  return program;
}
