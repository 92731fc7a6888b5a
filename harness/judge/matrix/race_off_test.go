//go:build !race

package matrix

const share, trafficShare = 1, 1
