import { Command } from 'commander';
import type { Shell } from '../shell.ts';
import {
  scheduleBackfillCommand,
  scheduleDeleteCommand,
  scheduleNextCommand,
  schedulePauseCommand,
  scheduleResumeCommand,
  scheduleTriggerCommand,
} from './schedule-control.ts';
import { scheduleCreateCommand, scheduleUpdateCommand } from './schedule-create.ts';
import { scheduleListCommand } from './schedule-list.ts';
import { scheduleShowCommand } from './schedule-show.ts';

export function scheduleCommand(shell: Shell): Command {
  return new Command('schedule')
    .description('invoke tasks again and again by the clock')
    .addCommand(scheduleCreateCommand(shell))
    .addCommand(scheduleUpdateCommand(shell))
    .addCommand(scheduleListCommand(shell))
    .addCommand(scheduleShowCommand(shell))
    .addCommand(scheduleNextCommand(shell))
    .addCommand(schedulePauseCommand(shell))
    .addCommand(scheduleResumeCommand(shell))
    .addCommand(scheduleTriggerCommand(shell))
    .addCommand(scheduleBackfillCommand(shell))
    .addCommand(scheduleDeleteCommand(shell));
}
