import { Command, CommanderError } from 'commander';
import { RequestError } from '../domain/errors.ts';
import { packageVersion } from '../version.ts';
import { type CommandNode, commandTree } from './command-tree.ts';
import { batchCommand } from './commands/batch.ts';
import { cancelCommand } from './commands/cancel.ts';
import { completionCommand } from './commands/completion.ts';
import { configCommand } from './commands/config.ts';
import { dbCommand } from './commands/db.ts';
import { deleteCommand } from './commands/delete.ts';
import { explainCommand } from './commands/explain.ts';
import { instancesCommand } from './commands/instances.ts';
import { invokeCommand } from './commands/invoke.ts';
import { limitsCommand } from './commands/limits.ts';
import { linkCommand } from './commands/link.ts';
import { listCommand } from './commands/list.ts';
import { logCommand } from './commands/log.ts';
import { machineShowCommand } from './commands/machine-show.ts';
import { nodeCommand } from './commands/node.ts';
import { pageCommand } from './commands/page.ts';
import { queueCommand } from './commands/queue.ts';
import { quotaCommand } from './commands/quota.ts';
import { replayCommand } from './commands/replay.ts';
import { rerunCommand } from './commands/rerun.ts';
import { restoreCommand } from './commands/restore.ts';
import { resumeCommand } from './commands/resume.ts';
import { scheduleCommand } from './commands/schedule.ts';
import { serveCommand } from './commands/serve.ts';
import { snapshotCommand } from './commands/snapshot.ts';
import { statusCommand } from './commands/status.ts';
import { suspendCommand } from './commands/suspend.ts';
import { taskAliasCommand } from './commands/task-alias.ts';
import { taskDeleteCommand } from './commands/task-delete.ts';
import { taskDiffCommand } from './commands/task-diff.ts';
import { taskListCommand } from './commands/task-list.ts';
import { taskRegisterCommand } from './commands/task-register.ts';
import { taskResetCommand } from './commands/task-reset.ts';
import { taskRevisionsCommand } from './commands/task-revisions.ts';
import { taskRollbackCommand } from './commands/task-rollback.ts';
import { taskShowCommand } from './commands/task-show.ts';
import { tokenCommand } from './commands/token.ts';
import { topCommand } from './commands/top.ts';
import { versionCommand } from './commands/version.ts';
import { waitCommand } from './commands/wait.ts';
import { watchCommand } from './commands/watch.ts';
import { webhookCommand } from './commands/webhook.ts';
import { exitCodeHelp, exitCodes } from './exit-codes.ts';
import { ReaderGoneError } from './output.ts';
import { checkCommandName, parseErrorText } from './parse-error.ts';
import { LostServerError } from './reattach.ts';
import { note, type Shell } from './shell.ts';
import { UsageError } from './usage-error.ts';

/** Runs one command line, without the program's name. Resolves with the exit code; everything else is said already. */
export async function runCommandLine(args: readonly string[], shell: Shell): Promise<number> {
  let said = '';
  const program = build(shell, (text) => {
    said += text;
  });
  try {
    checkCommandName(program, args);
    await program.parseAsync(args, { from: 'user' });
    return shell.exitCode;
  } catch (error) {
    try {
      if (error instanceof CommanderError) return await endParsing(error, said, shell);
      return await endFailed(error, shell);
    } catch (unsaid) {
      // Nobody reads what it has to say either.
      if (unsaid instanceof ReaderGoneError) return exitCodes.readerGone.code;
      throw unsaid;
    }
  }
}

/** All commands, which are never run: for what is made of their names and flags. */
export function commandsOf(shell: Shell): CommandNode {
  return commandTree(build(shell, () => {}));
}

function build(shell: Shell, say: (text: string) => void): Command {
  const program = new Command('spear')
    .description('Runs functions: WebAssembly components, containers and processes')
    .version(packageVersion())
    .addHelpText('after', `\n${exitCodeHelp()}`);
  const alias = taskAliasCommand(shell);
  const task = new Command('task')
    .description('register, list, show, roll back, reset and delete tasks')
    .addCommand(taskRegisterCommand(shell))
    .addCommand(taskListCommand(shell))
    .addCommand(taskShowCommand(shell))
    .addCommand(taskRevisionsCommand(shell))
    .addCommand(taskDiffCommand(shell))
    .addCommand(alias)
    .addCommand(taskRollbackCommand(shell))
    .addCommand(taskResetCommand(shell))
    .addCommand(taskDeleteCommand(shell));
  const db = dbCommand(shell);
  const config = configCommand(shell);
  const log = logCommand(shell);
  const token = tokenCommand(shell);
  const quota = quotaCommand(shell);
  const limits = limitsCommand(shell);
  const webhook = webhookCommand(shell);
  const batch = batchCommand(shell);
  const schedule = scheduleCommand(shell);
  const node = nodeCommand(shell);
  const machine = new Command('machine')
    .description('the statecharts that run in the node')
    .addCommand(machineShowCommand(shell));
  program
    .addCommand(serveCommand(shell))
    .addCommand(task)
    .addCommand(invokeCommand(shell))
    .addCommand(batch)
    .addCommand(statusCommand(shell))
    .addCommand(waitCommand(shell))
    .addCommand(watchCommand(shell))
    .addCommand(cancelCommand(shell))
    .addCommand(suspendCommand(shell))
    .addCommand(resumeCommand(shell))
    .addCommand(deleteCommand(shell))
    .addCommand(rerunCommand(shell))
    .addCommand(snapshotCommand(shell))
    .addCommand(restoreCommand(shell))
    .addCommand(replayCommand(shell))
    .addCommand(listCommand(shell))
    .addCommand(schedule)
    .addCommand(explainCommand(shell))
    .addCommand(queueCommand(shell))
    .addCommand(topCommand(shell))
    .addCommand(pageCommand(shell))
    .addCommand(linkCommand(shell))
    .addCommand(instancesCommand(shell))
    .addCommand(machine)
    .addCommand(node)
    .addCommand(token)
    .addCommand(quota)
    .addCommand(webhook)
    .addCommand(config)
    .addCommand(log)
    .addCommand(limits)
    .addCommand(db)
    .addCommand(completionCommand(shell))
    .addCommand(versionCommand(shell));
  for (const name of ['invoke', 'wait']) {
    program.commands.find((each) => each.name() === name)?.addHelpText('after', `\n${exitCodeHelp()}`);
  }
  // Commands that were made apart inherit neither of these.
  for (const each of [
    program,
    ...program.commands,
    ...task.commands,
    ...alias.commands,
    ...machine.commands,
    ...config.commands,
    ...log.commands,
    ...db.commands,
    ...token.commands,
    ...quota.commands,
    ...limits.commands,
    ...webhook.commands,
    ...batch.commands,
    ...schedule.commands,
    ...node.commands,
  ]) {
    each
      .exitOverride((error) => {
        throw isMistake(error) ? new UsageError(parseErrorText(error, each)) : error;
      })
      .configureOutput({ writeOut: say, writeErr: say });
  }
  return program;
}

/** What is asked for is no mistake, nor is it to say nothing at all. */
function isMistake({ exitCode, code }: CommanderError): boolean {
  return exitCode !== 0 && code !== 'commander.help';
}

/** Help and version go to stdout when they were asked for, else to stderr with exit 64. */
async function endParsing(error: CommanderError, said: string, shell: Shell): Promise<number> {
  if (error.exitCode === 0) {
    await shell.out.write(said);
    return exitCodes.completed.code;
  }
  await shell.err.write(said);
  return exitCodes.usage.code;
}

async function endFailed(error: unknown, shell: Shell): Promise<number> {
  if (error instanceof ReaderGoneError) return exitCodes.readerGone.code;
  await note(shell, error instanceof Error ? error.message : String(error));
  if (error instanceof UsageError) return exitCodes.usage.code;
  if (error instanceof LostServerError) return error.exitCode;
  // Checks of ours in the domain's words, made before anything was sent.
  if (error instanceof RequestError) {
    return error.kind === 'not_found' ? exitCodes.unknown.code : exitCodes.usage.code;
  }
  return exitCodes.platform.code;
}
