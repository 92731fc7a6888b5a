// Package matrix proves that the judge finds an identifier in any disguise, and
// nothing where there is none. It holds tests only.
//
// Package disguise, which shares no code with the judge, writes identifiers of every
// kind; they are put where apps put them (a field of a JSON body or of a form, a URL,
// a header, a cookie, a message of a WebSocket), and the same packages that judge an
// audit look for them:
//
//   - each disguise alone, at every place that it fits, is found with its kind, its
//     value, and the chain that was planted;
//   - each ordered pair that makes sense is found but for a few that are listed, 99 % of
//     them with their chain;
//   - of a seeded sample of 5,000 chains of three, at least 99 % are found, and 97 % with
//     their chain;
//   - the same messages made from people who are not looked for give nothing, and
//     neither do 50 MB of random traffic.
//
// What makes no sense is decided by the rules in package disguise, each with its
// reason, and by nothing here. With the race detector on, a seeded sixteenth is run.
//
// UNASKED_MATRIX_FAILURES names a file for the list of what was not found, by chain.
package matrix
