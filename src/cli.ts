#!/usr/bin/env node
// The door: runs the command line and ends the process with its exit code. The only file that ends it.
import { runCommandLine } from "./commands/perform.js";
import { buildProgram } from "./program.js";

const exitCode = await runCommandLine(process.argv.slice(2), buildProgram, (code) => process.exit(code));
process.exit(exitCode);
