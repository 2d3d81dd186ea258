#!/usr/bin/env -S node --max-semi-space-size=8
import { run } from "./program.ts";

await run(process.argv.slice(2));
