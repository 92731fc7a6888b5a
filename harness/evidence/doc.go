// Package evidence writes, seals, reads and verifies what an audit recorded.
//
// An audit's evidence is one folder. While the audit runs, a [Log] appends
// events to log.jsonl, each with the hash of the line before, and streams
// bodies, screenshots and files into blobs/ by their SHA-256. [Log.Seal] writes
// manifest.json; from then on nothing changes any more, and [Open] gives the
// folder to anyone as a [Bundle], which is an [Evidence]. [Verify] says
// everything that is wrong with one.
//
// Every event is handed to the operating system before Append returns, so a
// killed audit loses nothing that it had seen; [SealInterrupted] then makes a
// bundle of what is there. Only a machine that loses power can lose events, and
// none from before the last phase that ended.
//
// The format is described in docs/bundle-format.md, with vectors in testdata.
// It shows that nothing was changed since the seal; who sealed it, and when, is
// shown by signing or time-stamping manifest.json with other tools.
package evidence
