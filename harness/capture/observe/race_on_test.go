//go:build race

package observe

const raced = true // everything is some ten times slower
