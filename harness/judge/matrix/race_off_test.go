//go:build !race

package matrix

const share = 1
