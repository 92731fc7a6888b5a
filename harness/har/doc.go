// Package har reads and writes HTTP archives: HAR 1.1 and 1.2, as specified at
// http://www.softwareishard.com/blog/har-12-spec/, and as browsers, proxies and test
// tools write them in fact.
//
// [NewReader] reads a file entry by entry, in memory that does not grow with the file,
// and takes what it can from an entry that is not as the specification has it; what it
// could not take it says as [Reader.Notes]. [Write] writes the flows of an audit, with
// all that HAR has no place for under _unasked.
package har
