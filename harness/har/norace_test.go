//go:build !race

package har

const raced = false
