// Matches indicators in a HAR with trackhar, and prints what it found and how long it
// took, without reading the file and without parsing JSON.
//
//   node match.mjs traffic.har indicators.json
import { readFileSync } from 'node:fs';
import { process as match } from 'trackhar';

const [har, indicators] = process.argv.slice(2).map((path) => JSON.parse(readFileSync(path, 'utf8')));
const began = performance.now();
const results = await match(har, { indicatorValues: indicators });
const took = performance.now() - began;
const found = results.flatMap((matches, entry) => (matches ?? []).map(({ property, context, reasoning }) => ({ entry, property, context, reasoning })));
console.log(JSON.stringify({ took, found }));
