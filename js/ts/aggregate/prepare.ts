import { failed } from "./called.js";
import type { Aggregate, Command, PrepareContext } from "./types.js";

/**
 * The command with everything that `prepare` of the aggregate looks up for it. Call it before the turn of the decision.
 *
 * @throws {@link SillokError} `decider_failed` when `prepare` fails.
 */
export async function prepared(
  { name, prepare }: Aggregate,
  command: Command,
  context: PrepareContext,
): Promise<Command> {
  if (prepare === undefined) return command;
  const look = prepare as (command: Command, context: PrepareContext) => unknown;
  let found: Command | undefined;
  try {
    found = (await look(command, Object.freeze({ ...context }))) as Command | undefined;
  } catch (thrown) {
    throw failed(`\`prepare\` of the aggregate ${name} has thrown an error`, thrown);
  }
  if (found?.type === command.type) return found;
  throw failed(
    `\`prepare\` of the aggregate ${name} must return the command, with the same \`type\``,
  );
}
