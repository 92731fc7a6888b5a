//go:build race

package matrix

// share is which part of the matrix is run, and trafficShare of the random traffic: one in so many.
const share, trafficShare = 16, 100
