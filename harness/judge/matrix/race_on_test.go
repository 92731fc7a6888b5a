//go:build race

package matrix

// share is which part of the matrix is run: one in so many.
const share = 10
