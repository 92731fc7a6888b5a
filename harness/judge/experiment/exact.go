package experiment

import "math/big"

// Exact is the one-sided exact test of Fisher (The Design of Experiments, 1935, chapter
// II) for two groups of runs: how likely it is, if the answers have nothing to do with the
// group, that at least a.Times of those a.Times+b.Times runs that show the sign are in
// the first group. The order of the runs is drawn by lot, so that this is a permutation
// test as well and assumes nothing of how services behave over time.
//
// It is 1 where a group is empty. Counts must not be negative, nor Times above Of.
func Exact(a, b Count) *big.Rat {
	signs, all := a.Times+b.Times, a.Of+b.Of
	sum := new(big.Int)
	for k := a.Times; k <= min(signs, a.Of); k++ {
		if signs-k > b.Of {
			continue
		}
		sum.Add(sum, new(big.Int).Mul(choose(a.Of, k), choose(b.Of, signs-k)))
	}
	return new(big.Rat).SetFrac(sum, choose(all, signs))
}

func choose(n, k int) *big.Int { return new(big.Int).Binomial(int64(n), int64(k)) }

// small reports whether a p-value is at most Level.
func small(p *big.Rat) bool {
	if p == nil {
		return false
	}
	v, _ := p.Float64()
	return v <= Level
}

// Write spells a p-value: the fraction while a person can read it, else its size.
func Write(p *big.Rat) string {
	if p == nil {
		return ""
	}
	if p.IsInt() {
		return p.Num().String()
	}
	if p.Denom().BitLen() <= 32 {
		return p.String()
	}
	v, _ := p.Float64()
	return new(big.Float).SetFloat64(v).Text('g', 2)
}
