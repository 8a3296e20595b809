// How programs are started here: each in a session of its own, so that Ctrl-C reaches the harness alone, and each dies with the
// harness, whatever ends that. Their numbers are known, and only these are ever sent a signal.

import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';

const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((program) => {
  try {
    accessSync(program, constants.X_OK);
    return true;
  } catch {
    return false;
  }
});

/** Starts a program; `lastSignal` is what it gets from the system when the harness is gone.
 *  @param {string} program @param {string[]} args @param {import('node:child_process').SpawnOptions} options */
export function launch(program, args, options, lastSignal = 'KILL') {
  const whole = setpriv ? [setpriv, '--pdeathsig', lastSignal, program, ...args] : [program, ...args];
  return spawn(whole[0], whole.slice(1), { ...options, detached: true });
}
